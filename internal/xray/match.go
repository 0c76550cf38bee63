package xray

import (
	"strings"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/trace"
)

// Match tells whether an object that an event applies, or deletes, is meant.
type Match func(ts int64, obj *trace.Object) (bool, error)

// Compile makes a Match of a selector as it is typed. Its error is shown as it is: it may have several lines, the
// last of which point at what is meant.
type Compile func(source string) (Match, error)

// Query is a filter as people write it.
type Query struct {
	// Kinds and Namespaces are lists with commas.
	Kinds, Namespaces string
	// Name is a part of a name, or a pattern with * in it; Text is anywhere in the manifest.
	Name, Text string
	// Selector is a selector of the language that Compile knows.
	Selector string
}

// Empty tells whether everything satisfies it.
func (q Query) Empty() bool { return q == Query{} }

// Check tells whether it can be used.
func (q Query) Check(compile Compile) error {
	_, err := q.filter(compile)
	return err
}

// trimmed gives it without blanks around what was typed.
func (q Query) trimmed() Query {
	return Query{
		Kinds: strings.TrimSpace(q.Kinds), Namespaces: strings.TrimSpace(q.Namespaces), Name: strings.TrimSpace(q.Name),
		Text: strings.TrimSpace(q.Text), Selector: strings.TrimSpace(q.Selector),
	}
}

// filter makes of it what a timeline selects by.
func (q Query) filter(compile Compile) (timeline.Filter, error) {
	q = q.trimmed()
	f := timeline.Filter{Kinds: commaList(q.Kinds), Namespaces: commaList(q.Namespaces), Name: q.Name, Text: q.Text}
	if q.Selector != "" {
		if compile == nil {
			return f, errNoSelectors
		}
		match, err := compile(q.Selector)
		if err != nil {
			return f, err
		}
		f.Match = match
	}
	return f, f.Check()
}

// String says what it is, for the header.
func (q Query) String() string {
	var parts []string
	for _, p := range []struct{ name, value string }{
		{"kind", q.Kinds}, {"namespace", q.Namespaces}, {"name", q.Name}, {"text", q.Text}, {"selector", q.Selector},
	} {
		if p.value != "" {
			parts = append(parts, p.name+"="+p.value)
		}
	}
	return strings.Join(parts, " ")
}

func commaList(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
