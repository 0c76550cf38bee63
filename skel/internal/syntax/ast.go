package syntax

import (
	"regexp"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Span is a range of the source: bytes from Start up to End.
type Span struct{ Start, End int }

// Program is a parsed program.
type Program struct {
	// Source is the parsed text; spans refer to it.
	Source   string
	Commands []*Command
	// Comments are the comments of the source, in order. A span begins at the # and ends before the
	// end of the line.
	Comments []Span
}

// CommandKind is the kind of a command.
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

// String returns the command's name as it is written.
func (k CommandKind) String() string {
	return [...]string{"delete", "remove", "modify", "insert", "scale", "shift", "duplicate"}[k]
}

// Command is one command. Its span extends from the name to the semicolon.
type Command struct {
	Span
	Kind CommandKind
	// Selector selects the objects. It is nil if all objects are selected, by * or by no selector.
	Selector Expr
	// Star is true if the selector was written as *.
	Star bool
	// Target is the path of Remove and Modify.
	Target *Path
	// Value is the value that Modify sets.
	Value Operand
	// Time is the time at which Insert inserts.
	Time *Time
	// Object is the manifest of Insert, a map.
	Object *Literal
	// Factor is the factor of Scale: a non-negative integer or decimal.
	Factor *Literal
	// Duration is the duration of Shift, which may be negative.
	Duration *Time
	// Copies is the number of Duplicate: an integer.
	Copies *Literal
}

// Expr is a selector, or a part of one: *And, *Or, *Not, *Compare, *Exists, *In, *Match, *TimeTest,
// *KindTest or *Define.
type Expr interface{ Extent() Span }

// Extent returns the span itself.
func (s Span) Extent() Span { return s }

// And holds if all of its terms hold; there are two or more.
type And struct {
	Span
	Terms []Expr
}

// Or holds if one of its terms holds; there are two or more.
type Or struct {
	Span
	Terms []Expr
}

// Not holds if its term does not. It is written with parentheses: !( ... ).
type Not struct {
	Span
	Term Expr
}

// Op is a comparison operator.
type Op uint8

// The comparison operators.
const (
	Equal Op = iota
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

// String returns the operator as it is written.
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
	// Regexp is the compiled pattern; nil if it could not be compiled.
	Regexp *regexp.Regexp
}

// TimeTest is "@t op time".
type TimeTest struct {
	Span
	Op   Op
	Time *Time
}

// KindTest is a test of @gvk: with ==, != or in, against a list of kinds; with =~, against a
// pattern.
type KindTest struct {
	Span
	// Kinds are the parsed Values.
	Kinds []schema.GroupVersionKind
	// Negated is true for !=.
	Negated bool
	// Values holds the string of == and !=, or the array of in; nil for =~.
	Values *Literal
	// Pattern is the pattern of =~.
	Pattern *Literal
	Regexp  *regexp.Regexp
}

// Define is "$x := path | test".
type Define struct {
	Span
	Var  *Variable
	Path *Path
	// Test consists of tests whose left sides begin with the variable, combined by And, Or and Not.
	Test Expr
	// Parenthesised is true if the test was written in parentheses, as is required for a combination
	// of tests.
	Parenthesised bool
}

// Variable is the use of a variable. Name does not include the $.
type Variable struct {
	Span
	Name string
}

// Operand is the right side of a comparison or an assignment: a *Literal or a *Path.
type Operand interface {
	Extent() Span
	operand()
}

func (*Literal) operand() {}
func (*Path) operand()    {}

// LiteralKind is the type of a literal.
type LiteralKind uint8

// The types of literals.
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
	// Elements are the elements of an array, or the values of a map.
	Elements []*Literal
	// Keys are the keys of a map, in source order.
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
	// the variable that it begins with, or nil
	Var      *Variable
	Segments []Segment
}

// SegmentKind is the kind of a segment of a path.
type SegmentKind uint8

// The kinds of segments.
const (
	Field SegmentKind = iota
	Index
	Wildcard
)

// Segment is a segment of a path.
type Segment struct {
	Span
	Kind SegmentKind
	// Name is the name of a field, without quotes.
	Name string
	// Quoted is true if the name was written in quotes.
	Quoted bool
	// Index is the index of "[n]".
	Index int
}

// Time is a time in the trace, or a duration.
type Time struct {
	Span
	// Seconds are unix seconds, or seconds after the start of the trace.
	Seconds  int64
	Relative bool
}
