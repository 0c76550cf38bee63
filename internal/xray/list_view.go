package xray

import "fmt"

// listStyle is how the rows of the list are drawn.
type listStyle struct {
	width int
	// start is the time of the first event of the trace, last the time of the latest. withDate reports
	// whether they are on different days.
	start    int64
	last     int64
	withDate bool
	focused  bool
	look     *look
	findings *findings
}

// view draws the visible rows.
func (l *list) view(style listStyle) []line {
	if l.events() == 0 {
		return nil
	}
	var out []line
	for r, ok := l.top, true; ok && len(out) < l.height; r, ok = l.next(r) {
		if r.object < 0 {
			out = append(out, l.eventRow(r, style))
		} else {
			out = append(out, l.objectRow(r, style))
		}
	}
	return out
}

func (l *list) begin(r row, style listStyle) line {
	if r != l.at {
		return of(rolePlain, " ")
	}
	out := of(roleKey, style.look.glyphs.cursor)
	out.selected = style.focused
	return out
}

func (l *list) eventRow(r row, style listStyle) line {
	event := l.event(r.nth)
	info := l.file.Info(event)
	out := l.begin(r, style)
	glyph := style.look.glyphs.closed
	if l.open[event] {
		glyph = style.look.glyphs.open
	}
	if l.objects(r.nth) == 0 {
		glyph = " "
	}
	out.add(roleDim, glyph+" ")
	out.add(rolePlain, clockTime(info.Time, style.withDate))
	if since := cells(sinceStart(style.last, style.start)); style.width >= out.cells()+since+36 {
		out.add(roleDim, " "+left(sinceStart(info.Time, style.start), since))
	}
	applied, deleted := l.counts(r.nth)
	out.add(roleAdded, right(signed("+", applied), 7))
	out.add(roleRemoved, right(signed("-", deleted), 5))
	out.add(roleWarning, findingMark(style.findings.worstOf(event)))
	summary := l.cache.summary(l, r.nth)
	out.spans = append(out.spans, summary.spans...)
	return out
}

func signed(sign string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(sign, n)
}

func (l *list) objectRow(r row, style listStyle) line {
	out := l.begin(r, style)
	place := l.place(r)
	info, ok := l.file.ObjectAt(place)
	if !ok {
		out.add(roleDim, "    ?")
		return out
	}
	key := l.file.Object(info.Object)
	sign, role := "+", changeRole(info.Change)
	if place.Deleted {
		sign = "-"
	}
	out.add(rolePlain, "    ")
	out.add(role, sign)
	out.add(role, " "+left(changeWord(info.Change, place.Event), 9))
	out.add(roleWarning, findingMark(style.findings.worstAt(place.Event, key)))
	out.add(rolePlain, objectName(key))
	return out
}

// findingMark is two cells wide: a mark for findings, and a space.
func findingMark(s Severity) string {
	switch s {
	case SeverityError:
		return "! "
	case SeverityWarning:
		return "? "
	default:
		return "  "
	}
}
