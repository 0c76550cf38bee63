package syntax

// Parse parses and checks a program. The tree is complete only if there are no diagnostics; more counts those beyond MaxDiagnostics.
func Parse(source string, limits Limits) (program *Program, found []Diagnostic, more int) {
	panic("to be written")
}

// ParseSelector parses and checks a selector alone: what stands before the comma of a command. "*" and white space give nil.
func ParseSelector(source string, limits Limits) (selector Expr, found []Diagnostic, more int) {
	panic("to be written")
}

// Format gives a program in its canonical layout, with its comments. The program must have been parsed without diagnostics.
func Format(p *Program) string {
	panic("to be written")
}

// Render draws diagnostics for a reader: for each the place, the message, the line and a caret under what is meant, and the hint.
// name is what the source is called: a file, or empty.
func Render(name, source string, found []Diagnostic, more int) string {
	panic("to be written")
}
