package syntax

import (
	"regexp"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Span is a part of the source: bytes from Start up to End.
type Span struct{ Start, End int }

// Program is a parsed program.
type Program struct {
	// Source is the text it was made of; spans point into it.
	Source   string
	Commands []*Command
	// Comments are those of the source, in order; a span begins at the # and ends before the end of the line.
	Comments []Span
}

// CommandKind tells the commands apart.
type CommandKind uint8

// The commands.
const (
	Delete CommandKind = iota
	Remove
	Modify
	Insert
	Scale
	Shift
	Duplicate
)

// String gives the command's name as it is written.
func (k CommandKind) String() string {
	return [...]string{"delete", "remove", "modify", "insert", "scale", "shift", "duplicate"}[k]
}

// Command is one command, its span from the name to the semicolon.
type Command struct {
	Span
	Kind CommandKind
	// Selector says which objects; nil: all of them, whether * was written or nothing.
	Selector Expr
	// Star tells that * was written for the selector.
	Star bool
	// Target is the path of Remove and Modify.
	Target *Path
	// Value is what Modify sets.
	Value Operand
	// Time is when Insert inserts.
	Time *Time
	// Object is the manifest of Insert, a map.
	Object *Literal
	// Factor is Scale's: an integer or a decimal, not negative.
	Factor *Literal
	// Duration is Shift's, which may be negative.
	Duration *Time
	// Copies is Duplicate's number: an integer.
	Copies *Literal
}

// Expr is a selector, or a part of one: *And, *Or, *Not, *Compare, *Exists, *In, *Match, *TimeTest, *KindTest or *Define.
type Expr interface{ Extent() Span }

// Extent gives the span itself.
func (s Span) Extent() Span { return s }

// And holds if all of its terms do; there are two or more.
type And struct {
	Span
	Terms []Expr
}

// Or holds if one of its terms does; there are two or more.
type Or struct {
	Span
	Terms []Expr
}

// Not holds if its term does not. It is written with parentheses: !( ... ).
type Not struct {
	Span
	Term Expr
}

// Op is a comparison.
type Op uint8

// The comparisons.
const (
	Equal Op = iota
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

// String gives the comparison as it is written.
func (o Op) String() string { return [...]string{"==", "!=", "<", "<=", ">", ">="}[o] }

// Compare is "path op value" or "path op path".
type Compare struct {
	Span
	Left   *Path
	Op     Op
	OpSpan Span
	Right  Operand
}

// Exists is "exists(path)", or "!exists(path)".
type Exists struct {
	Span
	Path    *Path
	Negated bool
}

// In is "path in [values]".
type In struct {
	Span
	Left *Path
	// Values are the elements of the array.
	Values *Literal
}

// Match is `path =~ "expression"`.
type Match struct {
	Span
	Left    *Path
	Pattern *Literal
	// Regexp is the compiled pattern; nil if that was reported as an error.
	Regexp *regexp.Regexp
}

// TimeTest is "@t op time".
type TimeTest struct {
	Span
	Op   Op
	Time *Time
}

// KindTest is a test of @gvk: with ==, != or in, a list of kinds; with =~ a pattern.
type KindTest struct {
	Span
	// Kinds are those it is compared to, as they were written in Values.
	Kinds []schema.GroupVersionKind
	// Negated is for !=.
	Negated bool
	// Values holds the string of == and !=, or the array of in; nil for =~.
	Values *Literal
	// Pattern is for =~.
	Pattern *Literal
	Regexp  *regexp.Regexp
}

// Define is "$x := path | test".
type Define struct {
	Span
	Var  *Variable
	Path *Path
	// Test has only tests whose left sides begin with the variable, under And, Or and Not.
	Test Expr
	// Parenthesised tells that the test was written in parentheses, as one of several tests has to be.
	Parenthesised bool
}

// Variable is a variable where it is written; Name has no $.
type Variable struct {
	Span
	Name string
}

// Operand is the right side of a comparison, or what is set: a *Literal or a *Path.
type Operand interface {
	Extent() Span
	operand()
}

func (*Literal) operand() {}
func (*Path) operand()    {}

// LiteralKind tells literals apart.
type LiteralKind uint8

// The kinds of literals.
const (
	NullLiteral LiteralKind = iota
	BoolLiteral
	IntLiteral
	FloatLiteral
	StringLiteral
	ArrayLiteral
	MapLiteral
)

// Literal is a value written in the program.
type Literal struct {
	Span
	Kind  LiteralKind
	Bool  bool
	Int   int64
	Float float64
	// String is the text of a string, without quotes and escapes.
	String string
	// Elements are those of an array, or the values of a map.
	Elements []*Literal
	// Keys are those of a map, in the order they are written.
	Keys []MapKey
}

// MapKey is a key of a map literal.
type MapKey struct {
	Span
	Name string
}

// Path is a path. It has at least one segment, or a variable.
type Path struct {
	Span
	// Var is the variable it begins with, or nil.
	Var      *Variable
	Segments []Segment
}

// SegmentKind tells the parts of a path apart.
type SegmentKind uint8

// The kinds of segments.
const (
	Field SegmentKind = iota
	Index
	Wildcard
)

// Segment is a part of a path.
type Segment struct {
	Span
	Kind SegmentKind
	// Name is a field's, without quotes.
	Name string
	// Quoted tells that the name was written in quotes.
	Quoted bool
	// Index is that of "[n]".
	Index int
}

// Time is a time of the trace, or a duration.
type Time struct {
	Span
	// Seconds are unix seconds, or relative to the trace's start.
	Seconds  int64
	Relative bool
}
