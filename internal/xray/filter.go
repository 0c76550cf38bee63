package xray

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"simkube.io/simkube/internal/timeline"
)

// filterFields are the lines of the form.
var filterFields = [...]struct{ label, help string }{
	{"kind", "Deployment,Pod"},
	{"namespace", "shop,ci"},
	{"name", "part of a name, or a pattern: web-*"},
	{"text", "anywhere in the manifest"},
	{"selector", `of the language of skctl transform: spec.replicas > 3`},
}

// filterForm is the form in which a filter is typed.
type filterForm struct {
	fields [len(filterFields)]input
	at     int
	err    string
}

func newFilterForm(q Query) filterForm {
	var f filterForm
	for i, value := range []string{q.Kinds, q.Namespaces, q.Name, q.Text, q.Selector} {
		f.fields[i] = newInput(value)
	}
	return f
}

func (f *filterForm) query() Query {
	return Query{
		Kinds: f.fields[0].value(), Namespaces: f.fields[1].value(), Name: f.fields[2].value(),
		Text: f.fields[3].value(), Selector: f.fields[4].value(),
	}.trimmed()
}

// update handles a key that neither submits nor closes the form.
func (f *filterForm) update(msg tea.KeyPressMsg) {
	switch msg.String() {
	case "up", "shift+tab":
		f.at = (f.at + len(f.fields) - 1) % len(f.fields)
	case "down", "tab":
		f.at = (f.at + 1) % len(f.fields)
	case "ctrl+x":
		*f = filterForm{at: f.at}
	default:
		if f.fields[f.at].update(msg) {
			f.err = ""
		}
	}
}

const filterLabelWidth = 11

// firstField is the line of the form on which the fields begin.
const firstField = 1

// view draws the form. It returns the position of the cursor.
func (f *filterForm) view(width, height int, file *timeline.File, look *look) (lines []line, x, y int) {
	lines = append(lines, of(roleTitle, " Show only objects that have"))
	for i, field := range filterFields {
		l := of(rolePlain, "  ")
		if i == f.at {
			l = of(roleKey, look.glyphs.cursor+" ")
		}
		l.add(roleDim, right(field.label, filterLabelWidth-2)+" ")
		text, at := f.fields[i].draw(width - filterLabelWidth - 2)
		if i == f.at {
			x, y = filterLabelWidth+1+at, len(lines)
		}
		if text == "" {
			l.add(roleDim, "("+field.help+")")
		} else {
			l.add(rolePlain, text)
		}
		lines = append(lines, l)
	}
	if f.err != "" {
		lines = append(lines, line{})
		for text := range strings.Lines(f.err) {
			lines = append(lines, of(roleError, " "+cleanKeepingTabs(text)))
		}
	}
	lines = append(lines, line{}, of(roleDim, " Enter filters, an empty form shows all; Esc leaves; Ctrl-X empties the form."))
	lines = append(lines, line{}, f.known(file))
	return fill(lines, height), x, min(y, max(0, height-1))
}

// known returns the kinds and namespaces of the trace, as suggestions.
func (f *filterForm) known(file *timeline.File) line {
	const most = 20
	var names []string
	switch f.at {
	case 0:
		for _, k := range file.Kinds() {
			names = append(names, k.GVK.Kind)
		}
	case 1:
		for _, n := range file.Namespaces() {
			if n.Name != "" {
				names = append(names, n.Name)
			}
		}
	}
	if len(names) == 0 {
		return line{}
	}
	return of(roleDim, " There are: "+clean(strings.Join(names[:min(len(names), most)], ", ")))
}

// cleanKeepingTabs is clean for an error whose second line has a caret below the first. Escaped
// tabs would misplace the caret.
func cleanKeepingTabs(s string) string {
	return clean(strings.ReplaceAll(strings.TrimRight(s, "\r\n"), "\t", " "))
}
