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

// Limits bound what a program may cost on one object.
type Limits struct {
	// Steps is how many places a command may look at.
	Steps int
	// Bytes is how large an object may become.
	Bytes int
	// Objects is how many objects one may become.
	Objects int
}

// DefaultLimits are far beyond what is of use.
func DefaultLimits() Limits { return Limits{Steps: 2_000_000, Bytes: 16 << 20, Objects: 10_000} }

// Error is what a program could not do to an object.
type Error struct {
	// Span is the part of the program that could not be done.
	syntax.Span
	Message string
}

func (e *Error) Error() string { return e.Message }

// Counts are what a command did.
type Counts struct {
	// Events is in how many events an object matched.
	Events int64
	// Objects is how many objects matched.
	Objects int64
	// Fields is how many fields were removed or set.
	Fields int64
	// Deleted is how many objects were dropped.
	Deleted int64
}

// Machine runs a program. It is not safe for concurrent use.
type Machine struct {
	program *Program
	limits  Limits
	start   int64
	time    int64

	obj    *trace.Object // what the document is of, unless it is a copy
	source []byte        // the manifest that runs
	loaded bool          // the document is that of source
	doc    *document.Document
	copy   *document.Document // of Duplicate

	variables [][]document.Node
	one       []document.Node
	free      [][]document.Node
	value     []byte
	steps     int

	counts []Counts
	total  Counts
	// matched tells that a command matched the object that runs, and lastMatched which event had one last.
	matched     bool
	lastMatched int64
	// made: the next object to run has been counted.
	made bool
	// renamed: what tells which object it is may have been changed.
	renamed bool
	// event numbers the events, and seen tells for each command in which one it last matched.
	event int64
	seen  []int64

	shift   int64
	outputs []Output
	pending []pending
	arena   []byte
}

// Output is what became of an object.
type Output struct {
	// Raw is the manifest; nil where it is that of the object itself.
	Raw []byte
	// Same: it is one of the same object, and Sections tell where its parts are. Otherwise it is to be looked at as if it came from elsewhere.
	Same     bool
	Sections document.Sections
	// Shift is by how many seconds it is moved.
	Shift int64
}

// pending is a copy that has yet to go through the commands from one on.
type pending struct {
	raw     []byte
	command int
	shift   int64
}

// New makes a Machine for a trace that begins at a time in unix seconds.
func New(p *Program, start int64, limits Limits) *Machine {
	m := &Machine{
		program: p, start: start, limits: limits, doc: new(document.Document), copy: new(document.Document),
		variables: make([][]document.Node, p.variables), one: make([]document.Node, 0, 1),
		counts: make([]Counts, len(p.commands)), seen: make([]int64, len(p.commands)),
	}
	return m
}

// Counts gives what the commands did so far.
func (m *Machine) Counts() []Counts { return m.counts }

// Total gives what all commands together did so far; an object that several matched counts once.
func (m *Machine) Total() Counts {
	t := m.total
	for _, c := range m.counts {
		t.Fields += c.Fields
		t.Deleted += c.Deleted
	}
	return t
}

// Event begins an event of a time in unix seconds.
func (m *Machine) Event(time int64) {
	m.event++
	m.time = time
}

// SetMemory gives the machine memory for the manifests it makes, behind what is there. Memory gives it back, with the manifests in it; it may
// have been replaced by larger one.
func (m *Machine) SetMemory(arena []byte) { m.arena = arena }

// Memory gives the memory that SetMemory gave.
func (m *Machine) Memory() []byte { return m.arena }

// Apply runs the program, from one of its commands on, on a manifest that is applied at the event's time, and gives what becomes of it: nothing, one
// object, or several. The outputs are valid until the next call, their bytes as long as nobody uses the machine's memory again.
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

// load makes sure that the document is that of the manifest.
func (m *Machine) load() {
	if !m.loaded {
		m.doc.Reset(m.source)
		m.loaded = true
	}
}

// run takes the manifest through the commands.
func (m *Machine) run(from int, shift int64) error {
	m.shift = shift
	for i := from; i < len(m.program.commands); i++ {
		c := &m.program.commands[i]
		m.steps = 0
		matched, err := m.matches(c)
		if err != nil {
			return m.located(c, err)
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
			return m.located(c, err)
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

// shallow tells that the manifest cannot have become deeper than a trace can hold: only setting values makes it so.
func (m *Machine) shallow() bool { return !m.program.deepens }

// located makes an error one of a command, where it does not say so itself.
func (m *Machine) located(c *command, err error) error {
	if e, ok := err.(*Error); ok && e.Span == (syntax.Span{}) { //nolint:errorlint // made here, and not wrapped
		e.Span = c.span
	}
	return err
}

// Count counts an object that came to be by one of the commands, and is the next to be applied.
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

// matches tells whether a command is about the manifest.
func (m *Machine) matches(c *command) (bool, error) {
	if c.kind == syntax.Insert {
		return false, nil
	}
	if c.selector == nil {
		return true, nil
	}
	if m.lacks(c.needs) {
		return false, nil
	}
	return c.selector.holds(m)
}

// lacks tells that the manifest does not have one of some keys. It is a cheap look at the bytes, which may also give false without need.
func (m *Machine) lacks(needs [][]byte) bool {
	if m.loaded && m.doc.Changed() {
		return false
	}
	for _, key := range needs {
		if !bytes.Contains(m.source, key) {
			return true
		}
	}
	return false
}

// identity gives the text a path leads to where that is at hand and not empty.
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

// gvk gives the kind of the manifest as it is now.
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

// spent tells that a command has looked at too much.
func (m *Machine) spent() error {
	if m.steps > m.limits.Steps {
		return &Error{Message: fmt.Sprintf("the command looks at more than %d places in this object", m.limits.Steps)}
	}
	return nil
}

// take gives memory for places, give takes it back.
func (m *Machine) take() []document.Node {
	if n := len(m.free); n > 0 {
		s := m.free[n-1]
		m.free = m.free[:n-1]
		return s[:0]
	}
	return make([]document.Node, 0, 16)
}

func (m *Machine) give(s []document.Node) { m.free = append(m.free, s) }
