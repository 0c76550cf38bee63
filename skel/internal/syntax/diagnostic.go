package syntax

// Code is a kind of mistake, for programs that process diagnostics. The texts are in messages.go.
type Code string

// Diagnostic is one mistake in a program.
type Diagnostic struct {
	Span
	Code    Code
	Message string
	// Hint is a suggestion; it may be empty.
	Hint string
}

// MaxDiagnostics is the maximum number of mistakes that are returned; further ones are only
// counted.
const MaxDiagnostics = 20

// Limits bound the size of a program.
type Limits struct {
	// Source is the maximum length of a program in bytes.
	Source int
	// Commands is the maximum number of commands.
	Commands int
	// Depth is the maximum nesting depth of expressions and literals.
	Depth int
}

// DefaultLimits returns limits that are sufficient for programs written by people and tools.
func DefaultLimits() Limits { return Limits{Source: 1 << 20, Commands: 10_000, Depth: 64} }
