package xray

// helpLines returns the help screen: all keys and what they do.
func helpLines(look *look) []line {
	out := []line{of(roleTitle, " Keys ("+look.glyphs.down+" for more)")}
	for _, b := range bindings {
		l := of(rolePlain, "  ")
		l.add(roleKey, left(b.shown(look), 8))
		l.add(rolePlain, b.says)
		out = append(out, l)
	}
	out = append(
		out, line{},
		of(rolePlain, "  The mouse: click on a row, or on the bars across the top; scroll with the wheel."),
		line{},
		of(roleTitle, " Marks"),
		of(rolePlain, "  + new, or applied    ~ changed    = applied, but the same    - deleted"),
		of(rolePlain, "  ! an error that validation found    ? a warning    * a line that matches the search"),
	)
	return out
}

// shown returns the names of the keys of a binding.
func (b *binding) shown(look *look) string {
	if look.glyphs.ascii {
		return b.ascii()
	}
	return b.show
}

// helpBar returns the most important keys, as many as fit.
func helpBar(width int, look *look) line {
	var out line
	room := width
	for _, b := range helpOrder() {
		text := " " + b.shown(look) + " " + b.short + " "
		if n := cells(text); n <= room {
			room -= n
			out.add(roleKey, " "+b.shown(look))
			out.add(roleDim, " "+b.short+" ")
		}
	}
	return out
}

// helpOrder returns the bindings of the bar, the most important first.
func helpOrder() []binding {
	var out []binding
	for _, c := range []command{
		cmdHelp, cmdQuit, cmdOpen, cmdSearch, cmdFilter, cmdTime, cmdMode, cmdNextVersion, cmdPods, cmdFindings,
	} {
		for _, b := range bindings {
			if b.command == c {
				out = append(out, b)
			}
		}
	}
	return out
}
