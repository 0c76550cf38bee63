package syntax

// Code names a kind of mistake, for programs that look at diagnostics. The texts are in messages.go.
type Code string

// Diagnostic is one mistake in a program.
type Diagnostic struct {
	Span
	Code    Code
	Message string
	// Hint says what would be right, where that is known.
	Hint string
}

// MaxDiagnostics is how many mistakes are told; further ones are only counted.
const MaxDiagnostics = 20

// Limits bound what a program may cost before it runs.
type Limits struct {
	// Source is the greatest length of a program in bytes.
	Source int
	// Commands is how many commands there may be.
	Commands int
	// Depth is how deep expressions, and literals, may be nested.
	Depth int
}

// DefaultLimits are generous for programs that people and tools write.
func DefaultLimits() Limits { return Limits{Source: 1 << 20, Commands: 10_000, Depth: 64} }
