package machine

import (
	"bytes"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// Limits bound the cost of a program on one object.
type Limits struct {
	// Steps is the maximum number of places that a command may look at.
	Steps int
	// Bytes is the maximum size of an object.
	Bytes int
	// Objects is the maximum number of objects that one object may become.
	Objects int
}

// DefaultLimits returns limits that no useful program reaches.
func DefaultLimits() Limits { return Limits{Steps: 2_000_000, Bytes: 16 << 20, Objects: 10_000} }

// Error is returned when a program cannot be applied to an object.
type Error struct {
	// Span is the part of the program that failed.
	syntax.Span
	Message string
}

func (e *Error) Error() string { return e.Message }

// Counts are the effects of a command.
type Counts struct {
	// Events is the number of events with an object that matched.
	Events int64
	// Objects is the number of objects that matched.
	Objects int64
	// Fields is the number of fields that were removed or set.
	Fields int64
	// Deleted is the number of objects that were dropped.
	Deleted int64
}

// Machine runs a program. It is not safe for concurrent use.
type Machine struct {
	program *Program
	limits  Limits
	start   int64
	time    int64

	obj    *trace.Object // the object of the document, nil for a copy
	source []byte        // the current manifest
	loaded bool          // the document holds source
	doc    *document.Document
	copy   *document.Document // for Duplicate

	variables [][]document.Node
	one       []document.Node
	free      [][]document.Node
	value     []byte
	steps     int

	counts []Counts
	total  Counts
	// matched is true if a command matched the current object; lastMatched is the last event with a
	// match.
	matched     bool
	lastMatched int64
	// made: the next object has been counted.
	made bool
	// renamed: the kind, name or namespace may have been changed.
	renamed bool
	// event is the number of the current event; seen holds for each command the event in which it last
	// matched.
	event int64
	seen  []int64

	shift   int64
	outputs []Output
	pending []pending
	arena   []byte
}

// Output is an object that results from a manifest.
type Output struct {
	// Raw is the manifest; nil if it is unchanged.
	Raw []byte
	// Same: it is a manifest of the same object, and Sections are valid. Otherwise it must be parsed
	// like any other input.
	Same     bool
	Sections document.Sections
	// Shift is the number of seconds by which it is moved.
	Shift int64
}

// pending is a copy to which the commands from an index on still have to be applied.
type pending struct {
	raw     []byte
	command int
	shift   int64
}

// New returns a Machine for a trace that begins at start, in unix seconds.
func New(p *Program, start int64, limits Limits) *Machine {
	m := &Machine{
		program: p, start: start, limits: limits, doc: new(document.Document), copy: new(document.Document),
		variables: make([][]document.Node, p.variables), one: make([]document.Node, 0, 1),
		counts: make([]Counts, len(p.commands)), seen: make([]int64, len(p.commands)),
	}
	return m
}

// Counts returns the counts of each command so far.
func (m *Machine) Counts() []Counts { return m.counts }

// Total returns the counts of all commands together so far. An object that several commands matched
// counts once.
func (m *Machine) Total() Counts {
	t := m.total
	for _, c := range m.counts {
		t.Fields += c.Fields
		t.Deleted += c.Deleted
	}
	return t
}

// Event begins an event at a time in unix seconds.
func (m *Machine) Event(time int64) {
	m.event++
	m.time = time
}

// SetMemory sets the memory to which the machine appends the manifests that it creates. Memory
// returns it with these manifests; it may have been reallocated.
func (m *Machine) SetMemory(arena []byte) { m.arena = arena }

// Memory returns the memory set by SetMemory, with the manifests appended since.
func (m *Machine) Memory() []byte { return m.arena }

// Apply runs the program, starting at the command with index from, on a manifest that is applied at
// the event's time. It returns the results: none, one object, or several. The outputs are valid
// until the next call, their bytes until the machine's memory is reused.
func (m *Machine) Apply(obj *trace.Object, from int) ([]Output, error) {
	m.outputs, m.pending = m.outputs[:0], m.pending[:0]
	m.begin(obj, obj.Raw())
	if err := m.run(from, 0); err != nil {
		return nil, err
	}
	for i := 0; i < len(m.pending); i++ {
		next := m.pending[i]
		m.begin(nil, next.raw)
		if err := m.run(next.command, next.shift); err != nil {
			return nil, err
		}
	}
	return m.outputs, nil
}

func (m *Machine) begin(obj *trace.Object, raw []byte) {
	m.obj, m.source, m.loaded, m.matched = obj, raw, false, m.made
	m.made = false
	m.renamed = false
}

// load loads the manifest into the document if it is not loaded yet.
func (m *Machine) load() {
	if !m.loaded {
		m.doc.Reset(m.source)
		m.loaded = true
	}
}

// run applies the commands to the manifest.
func (m *Machine) run(from int, shift int64) error {
	m.shift = shift
	for i := from; i < len(m.program.commands); i++ {
		c := &m.program.commands[i]
		m.steps = 0
		matched, err := m.matches(c)
		if err != nil {
			return m.withSpan(c, err)
		}
		if !matched {
			continue
		}
		m.count(i)
		if c.kind == syntax.Delete {
			m.counts[i].Deleted++
			return nil
		}
		if err := m.effect(i, c); err != nil {
			return m.withSpan(c, err)
		}
	}
	out := Output{Shift: m.shift}
	if m.loaded && m.doc.Changed() {
		start := len(m.arena)
		m.arena, out.Sections = m.doc.AppendManifest(m.arena)
		out.Raw = m.arena[start:len(m.arena):len(m.arena)]
		out.Same = m.obj != nil && !m.renamed && m.shallow()
	} else if m.obj == nil {
		out.Raw = m.source
	}
	m.outputs = append(m.outputs, out)
	return nil
}

// shallow reports that the nesting depth of the manifest cannot exceed the limit of a trace: only
// setting values increases it.
func (m *Machine) shallow() bool { return !m.program.deepens }

// withSpan sets the span of an error to the command, if it has none.
func (m *Machine) withSpan(c *command, err error) error {
	if e, ok := err.(*Error); ok && e.Span == (syntax.Span{}) { //nolint:errorlint // made here, and not wrapped
		e.Span = c.span
	}
	return err
}

// Count counts an object that a command created. The object must be applied next.
func (m *Machine) Count(command int) {
	m.matched = false
	m.count(command)
	m.made = true
}

func (m *Machine) count(i int) {
	m.counts[i].Objects++
	if m.seen[i] != m.event {
		m.seen[i] = m.event
		m.counts[i].Events++
	}
	if !m.matched {
		m.matched = true
		m.total.Objects++
	}
	if m.lastMatched != m.event {
		m.lastMatched = m.event
		m.total.Events++
	}
}

// matches reports whether a command applies to the manifest.
func (m *Machine) matches(c *command) (bool, error) {
	if c.kind == syntax.Insert {
		return false, nil
	}
	if c.selector == nil {
		return true, nil
	}
	if m.lacksAny(c.requiredKeys) {
		return false, nil
	}
	return c.selector.holds(m)
}

// lacksAny reports whether the manifest lacks one of some keys. It is a cheap search in the bytes;
// false means that it does not know.
func (m *Machine) lacksAny(requiredKeys [][]byte) bool {
	if m.loaded && m.doc.Changed() {
		return false
	}
	for _, key := range requiredKeys {
		if !bytes.Contains(m.source, key) {
			return true
		}
	}
	return false
}

// identity returns the text at a path if it is available without loading the document and not
// empty.
func (m *Machine) identity(p *path) (string, bool) {
	if p.identity == noIdentity || m.obj == nil || m.loaded && m.doc.Changed() {
		return "", false
	}
	switch p.identity {
	case apiVersion:
		return m.obj.GVK().GroupVersion().String(), true
	case kind:
		return m.obj.GVK().Kind, true
	case name:
		return m.obj.Name(), true
	}
	return m.obj.Namespace(), m.obj.Namespace() != ""
}

// gvk returns the current kind of the manifest.
func (m *Machine) gvk() schema.GroupVersionKind {
	if m.obj != nil && !(m.loaded && m.doc.Changed()) {
		return m.obj.GVK()
	}
	m.load()
	root := m.doc.Root()
	group, version, found := strings.Cut(m.text(m.doc.Field(root, "apiVersion")), "/")
	if !found {
		group, version = "", group
	}
	return schema.GroupVersionKind{Group: group, Version: version, Kind: m.text(m.doc.Field(root, "kind"))}
}

func (m *Machine) text(n document.Node) string {
	if n == document.None || !m.doc.IsText(n) {
		return ""
	}
	return string(m.doc.Text(n))
}

// checkSteps returns an error if a command has exceeded its limit of steps.
func (m *Machine) checkSteps() error {
	if m.steps > m.limits.Steps {
		return &Error{Message: fmt.Sprintf("the command looks at more than %d places in this object", m.limits.Steps)}
	}
	return nil
}

// getNodes returns an empty list of places from the pool; give returns it to the pool.
func (m *Machine) getNodes() []document.Node {
	if n := len(m.free); n > 0 {
		s := m.free[n-1]
		m.free = m.free[:n-1]
		return s[:0]
	}
	return make([]document.Node, 0, 16)
}

func (m *Machine) putNodes(s []document.Node) { m.free = append(m.free, s) }
