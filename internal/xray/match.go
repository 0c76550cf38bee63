package xray

import (
	"strings"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/trace"
)

// Match reports whether an object that an event applies or deletes is selected.
type Match func(ts int64, obj *trace.Object) (bool, error)

// Compile compiles a selector. Its error is shown as it is: it may have several lines, the last of
// which point at the mistake.
type Compile func(source string) (Match, error)

// Query is a filter as a user writes it.
type Query struct {
	// Kinds and Namespaces are lists separated by commas.
	Kinds, Namespaces string
	// Name is a part of a name, or a pattern with *. Text is anywhere in the manifest.
	Name, Text string
	// Selector is in the language of Compile.
	Selector string
}

// Empty reports whether the query matches everything.
func (q Query) Empty() bool { return q == Query{} }

// Check returns an error if the query cannot be used.
func (q Query) Check(compile Compile) error {
	_, err := q.filter(compile)
	return err
}

// trimmed returns the query without spaces around its parts.
func (q Query) trimmed() Query {
	return Query{
		Kinds: strings.TrimSpace(q.Kinds), Namespaces: strings.TrimSpace(q.Namespaces), Name: strings.TrimSpace(q.Name),
		Text: strings.TrimSpace(q.Text), Selector: strings.TrimSpace(q.Selector),
	}
}

// filter returns the filter for the timeline.
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

// String returns the query in the form of the header.
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
