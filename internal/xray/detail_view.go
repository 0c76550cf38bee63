package xray

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/words"
)

// head returns the lines above those of the detail: the object, what happened to it and when, and
// the findings. It is shorter on a small screen.
func (d *detail) head(height int, f *findings, withDate bool) []line {
	if !d.hasHave {
		return nil
	}
	t := d.have.target
	info := d.file.Info(t.event)
	when := of(rolePlain, fmt.Sprintf("%s UTC  %s  event %s of %s", clockTime(info.Time, withDate), sinceStart(info.Time, d.start),
		words.Number(t.event+1), words.Number(d.file.Progress().Total)))
	var out []line
	o := &d.have.object
	switch {
	case !t.isObject:
		title := fmt.Sprintf("Event %s: %s applied, %s deleted", words.Number(t.event+1), words.Number(info.Applied), words.Number(info.Deleted))
		out = append([]line{of(roleTitle, title), when}, findingLines(f.of(t.event))...)
	case d.have.err != nil:
		out = []line{of(roleError, clean(d.have.err.Error())), when}
	default:
		title := of(roleTitle, objectName(o.key))
		title.add(roleDim, "  "+clean(o.key.GVK.GroupVersion().String()))
		state := of(changeRole(o.change), changeMark(o.change)+" "+changeWord(o.change, t.event))
		state.add(rolePlain, fmt.Sprintf("  version %s of %s", words.Number(o.version), words.Number(o.versions)))
		state.add(roleDim, "  "+d.says())
		out = append([]line{title, state, when}, findingLines(f.about(t.event, o.key))...)
	}
	return out[:min(len(out), max(1, height/3))]
}

// says returns a description of the lines.
func (d *detail) says() string {
	o := &d.have.object
	switch {
	case d.have.target.place.Deleted && o.hasBefore:
		return "as it was before"
	case d.mode == modeWhole:
		return "whole"
	case !o.hasBefore:
		return "whole: nothing to compare with"
	}
	than := clockTime(d.file.Info(o.before.Event).Time, false)
	if o.added+o.removed == 0 {
		return "the same as at " + than
	}
	text := fmt.Sprintf("+%d -%d since %s", o.added, o.removed, than)
	if d.mode == modeChanges {
		text += ", only changes"
	}
	return text
}

func findingLines(all []Finding) []line {
	const most = 4
	var out []line
	for i, x := range all {
		if i == most-1 && len(all) > most {
			return append(out, of(roleWarning, fmt.Sprintf("! %s more: v shows all", words.Number(len(all)-i))))
		}
		out = append(out, findingLine(x))
	}
	return out
}

func findingLine(x Finding) line {
	l := of(severityRole(x.Severity), findingMark(x.Severity)+clean(x.Code))
	l.add(rolePlain, " "+clean(x.Message))
	if x.Field != "" {
		l.add(roleDim, " ("+clean(x.Field)+")")
	}
	return l
}

func severityRole(s Severity) role {
	switch s {
	case SeverityError:
		return roleError
	case SeverityInfo:
		return roleDim
	default:
		return roleWarning
	}
}

// view draws the head, and as many of the lines as fit.
func (d *detail) view(height int, f *findings, withDate bool) []line {
	if d.hasWant && !d.hasHave {
		return fill([]line{of(roleDim, "reading...")}, height)
	}
	out := d.head(height, f, withDate)
	if len(out) > 0 && len(out) < height {
		out = append(out, line{})
	}
	room := max(0, height-len(out))
	for i := d.pane.top; i < min(d.pane.top+room, len(d.lines)); i++ {
		out = append(out, d.body(d.lines[i]))
	}
	return fill(out, height)
}

// headHeight returns how many of height lines the head takes.
func (d *detail) headHeight(height int, f *findings) int {
	if n := len(d.head(height, f, false)); n > 0 {
		return n + 1
	}
	return 0
}

// body draws one line: how it changed, whether it matches the search, and its text.
func (d *detail) body(dl diffLine) line {
	mark := " "
	if d.needle != "" && strings.Contains(strings.ToLower(dl.text), d.needle) {
		mark = "*"
	}
	text := skip(dl.text, d.pane.leftmost)
	r := opRole(dl.op)
	l := of(r, string(dl.op)+mark)
	if dl.op == ' ' && d.have.target.isObject {
		l.spans = append(l.spans, yamlLine(text).spans...)
	} else {
		l.add(r, text)
	}
	return highlight(l, d.needle)
}

func opRole(op byte) role {
	switch op {
	case '+':
		return roleAdded
	case '-':
		return roleRemoved
	case '~':
		return roleChanged
	case '=':
		return roleDim
	case '@':
		return roleKey
	}
	return rolePlain
}

// highlight marks the matches of the needle, which is in lower case.
func highlight(l line, needle string) line {
	whole := l.text()
	lower := strings.ToLower(whole)
	// If lower case has another length, the positions of matches do not apply to the line.
	if needle == "" || len(lower) != len(whole) || !strings.Contains(lower, needle) {
		return l
	}
	out := line{selected: l.selected}
	marked := make([]bool, len(whole))
	for from := 0; ; {
		i := strings.Index(lower[from:], needle)
		if i < 0 {
			break
		}
		for j := from + i; j < from+i+len(needle); j++ {
			marked[j] = true
		}
		from += i + len(needle)
	}
	at := 0
	for _, s := range l.spans {
		for begin := 0; begin < len(s.text); {
			end := begin
			for end < len(s.text) && marked[at+end] == marked[at+begin] {
				end++
			}
			r := s.role
			if marked[at+begin] {
				r = roleMatch
			}
			out.add(r, s.text[begin:end])
			begin = end
		}
		at += len(s.text)
	}
	return out
}
