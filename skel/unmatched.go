package skel

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// Warnings returns what is valid in the program, but means something else to other programs that
// read the language, and the same as text with the lines of the source.
func (p *Program) Warnings() (found []Diagnostic, text string) {
	warnings := syntax.Warnings(p.syntax)
	if len(warnings) == 0 {
		return nil, ""
	}
	for i := range warnings {
		warnings[i].Message = "warning: " + warnings[i].Message
	}
	e := newError(p.name, p.syntax.Source, warnings, 0)
	return e.Diagnostics, e.text
}

// Unmatched is a command that changed nothing.
type Unmatched struct {
	CommandSummary
	// Hint says what in the command is not in the trace, and what may have been meant. It may be
	// empty.
	Hint string
}

// maxObjects is how many objects are looked at for hints. To look at all objects of a large trace
// would take several times as long as the run.
const maxObjects = 10_000

// FindUnmatched returns the commands that changed nothing in a run. If there are any, it reads the
// first events of the input of the run, for hints.
func (p *Program) FindUnmatched(ctx context.Context, s *Summary, events iter.Seq2[*trace.Event, error]) ([]Unmatched, error) {
	if !p.HasUnmatched(s) {
		return nil, nil
	}
	vocabulary := NewVocabulary()
	for event, err := range events {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		for i := range event.Applied {
			if vocabulary.objects == maxObjects {
				vocabulary.more = true
				return p.Unmatched(s, vocabulary), nil
			}
			if err := vocabulary.Add(&event.Applied[i]); err != nil {
				return nil, err
			}
		}
	}
	return p.Unmatched(s, vocabulary), nil
}

// Unmatched returns the commands that changed nothing in a run. The vocabulary is that of the input
// of the run.
func (p *Program) Unmatched(s *Summary, v *Vocabulary) []Unmatched {
	var out []Unmatched
	for i, c := range p.syntax.Commands {
		if counts := s.Commands[i]; unmatched(c, counts.Counts) {
			h := &hinter{v: v, vars: map[string][]string{}}
			h.command(c)
			out = append(out, Unmatched{CommandSummary: counts, Hint: strings.Join(h.hints, "; ")})
		}
	}
	return out
}

// HasUnmatched reports whether a command changed nothing in a run.
func (p *Program) HasUnmatched(s *Summary) bool {
	for i, c := range p.syntax.Commands {
		if unmatched(c, s.Commands[i].Counts) {
			return true
		}
	}
	return false
}

func unmatched(c *syntax.Command, counts Counts) bool {
	switch c.Kind {
	case syntax.Insert:
		return false
	case syntax.Remove:
		return counts.Fields == 0
	}
	return counts.Objects == 0
}

// Vocabulary is what the objects of a trace contain: kinds, namespaces and paths.
type Vocabulary struct {
	kinds, gvks, namespaces map[string]bool
	paths                   *pathNode
	nodes                   int
	// objects is the number of objects, and more whether the trace has others.
	objects int
	more    bool
}

// none begins a hint about what no object has.
func (v *Vocabulary) none() string {
	if v.more {
		return fmt.Sprintf("none of the first %d objects has", v.objects)
	}
	return "no object has"
}

// maxPaths is the maximum number of paths in a vocabulary. Further ones are not suggested.
const maxPaths = 50_000

// pathNode is a part of a path: a field, or "[*]" for the elements of a list.
type pathNode struct{ children map[string]*pathNode }

// NewVocabulary returns a vocabulary of well-known paths.
func NewVocabulary() *Vocabulary {
	v := &Vocabulary{kinds: map[string]bool{}, gvks: map[string]bool{}, namespaces: map[string]bool{}, paths: &pathNode{}}
	const pod = "containers.[*].name containers.[*].image containers.[*].env.[*].name containers.[*].resources.requests containers.[*].resources.limits " +
		"initContainers nodeSelector affinity tolerations volumes serviceAccountName priorityClassName schedulerName restartPolicy runtimeClassName imagePullSecrets"
	for _, path := range strings.Fields("apiVersion kind status metadata.name metadata.namespace metadata.labels metadata.annotations metadata.finalizers metadata.ownerReferences spec.replicas spec.selector") {
		v.addPath(strings.Split(path, "."))
	}
	for _, path := range strings.Fields(pod) {
		v.addPath(append([]string{"spec", "template", "spec"}, strings.Split(path, ".")...))
	}
	return v
}

func (v *Vocabulary) addPath(path []string) {
	node := v.paths
	for _, part := range path {
		node = v.child(node, part)
	}
}

// child returns a child of a node, which it adds if there is room for it.
func (v *Vocabulary) child(node *pathNode, part string) *pathNode {
	if next := node.children[part]; next != nil {
		return next
	}
	next := &pathNode{}
	if v.nodes < maxPaths {
		if node.children == nil {
			node.children = map[string]*pathNode{}
		}
		node.children[part] = next
		v.nodes++
	}
	return next
}

// Add adds an object.
func (v *Vocabulary) Add(o *trace.Object) error {
	v.objects++
	v.kinds[o.GVK().Kind], v.gvks[trace.FormatGVK(o.GVK())] = true, true
	if o.Namespace() != "" {
		v.namespaces[o.Namespace()] = true
	}
	u, err := o.Unstructured()
	if err != nil {
		return err
	}
	v.addValue(v.paths, u.Object)
	return nil
}

func (v *Vocabulary) addValue(node *pathNode, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			v.addValue(v.child(node, key), inner)
		}
	case []any:
		for _, inner := range value {
			v.addValue(v.child(node, "[*]"), inner)
		}
	}
}

// hinter collects what in a command is not in a trace.
type hinter struct {
	v     *Vocabulary
	vars  map[string][]string // the paths of variables
	hints []string
}

func (h *hinter) hint(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(h.hints, text) {
		h.hints = append(h.hints, text)
	}
}

func (h *hinter) command(c *syntax.Command) {
	if c.Selector != nil {
		h.expr(c.Selector)
	}
	if c.Kind == syntax.Remove {
		h.path(c.Target)
	}
}

func (h *hinter) expr(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.And:
		for _, term := range e.Terms {
			h.expr(term)
		}
	case *syntax.Or:
		for _, term := range e.Terms {
			h.expr(term)
		}
	case *syntax.Exists:
		if !e.Negated {
			h.path(e.Path)
		}
	case *syntax.Compare:
		if literal, ok := e.Right.(*syntax.Literal); h.path(e.Left) && ok && e.Op == syntax.Equal {
			h.value(e.Left, literal)
		}
	case *syntax.In:
		if h.path(e.Left) {
			for _, literal := range e.Values.Elements {
				h.value(e.Left, literal)
			}
		}
	case *syntax.Match:
		h.path(e.Left)
	case *syntax.KindTest:
		if !e.Negated {
			for _, gvk := range e.Kinds {
				h.gvk(trace.FormatGVK(gvk), gvk.Kind)
			}
		}
	case *syntax.Define:
		h.path(e.Path)
		h.vars[e.Var.Name] = h.parts(e.Path)
		h.expr(e.Test)
	}
}

// parts returns the parts of a path in a vocabulary.
func (h *hinter) parts(p *syntax.Path) []string {
	var parts []string
	if p.Var != nil {
		parts = slices.Clone(h.vars[p.Var.Name])
	}
	for _, s := range p.Segments {
		if s.Kind == syntax.Field {
			parts = append(parts, s.Name)
		} else {
			parts = append(parts, "[*]")
		}
	}
	return parts
}

// path reports whether a path is in the trace, and adds a hint if it is not.
func (h *hinter) path(p *syntax.Path) bool {
	if p == nil {
		return true
	}
	parts := h.parts(p)
	node := h.v.paths
	for i, part := range parts {
		next := node.children[part]
		if next != nil {
			node = next
			continue
		}
		text := pathText(parts)
		if _, isList := node.children["[*]"]; isList && part != "[*]" {
			h.hint("%s is a list: did you mean %s?", pathText(parts[:i]), pathText(slices.Insert(slices.Clone(parts), i, "[*]")))
			return false
		}
		if best := nearest(part, slices.Sorted(maps.Keys(node.children))); best != "" {
			meant := slices.Clone(parts)
			meant[i] = best
			h.hint("%s %s: did you mean %s?", h.v.none(), text, pathText(meant))
		} else {
			h.hint("%s %s", h.v.none(), text)
		}
		return false
	}
	return true
}

// value adds a hint if a well-known path has no such value.
func (h *hinter) value(p *syntax.Path, literal *syntax.Literal) {
	if literal.Kind != syntax.StringLiteral {
		return
	}
	known, what := h.v.kinds, "kind"
	switch pathText(h.parts(p)) {
	case "kind":
	case "metadata.namespace":
		known, what = h.v.namespaces, "namespace"
	default:
		return
	}
	if known[literal.String] {
		return
	}
	if best := nearest(literal.String, slices.Sorted(maps.Keys(known))); best != "" {
		h.hint("%s the %s %q: did you mean %q?", h.v.none(), what, literal.String, best)
		return
	}
	h.hint("%s the %s %q", h.v.none(), what, literal.String)
}

// gvk adds a hint if the trace has no such kind.
func (h *hinter) gvk(gvk, kind string) {
	if h.v.gvks[gvk] {
		return
	}
	known := slices.Sorted(maps.Keys(h.v.gvks))
	best := nearest(gvk, known)
	for _, other := range known {
		if strings.HasSuffix(other, "."+kind) {
			best = other
		}
	}
	if best != "" {
		h.hint("%s the kind %q: did you mean %q?", h.v.none(), gvk, best)
		return
	}
	h.hint("%s the kind %q", h.v.none(), gvk)
}

// pathText returns a path as it is written.
func pathText(parts []string) string {
	var b strings.Builder
	for i, part := range parts {
		switch {
		case part == "[*]":
		case i > 0:
			b.WriteByte('.')
		}
		if strings.ContainsAny(part, "./") {
			part = `"` + part + `"`
		}
		b.WriteString(part)
	}
	return b.String()
}

// nearest returns the name that is most likely meant, or "".
func nearest(name string, known []string) string {
	const maxDistance = 2
	best, closest := "", maxDistance+1
	for _, other := range known {
		d := syntax.Distance(strings.ToLower(name), strings.ToLower(other))
		if d < closest && d < len(name) && other != name {
			best, closest = other, d
		}
	}
	return best
}
