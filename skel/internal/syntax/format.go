package syntax

// Format gives a program in its canonical layout, with its comments. The program must have been parsed without diagnostics.
func Format(p *Program) string {
	return p.Source
}
