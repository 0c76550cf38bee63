package machine

import (
	"cmp"
	"slices"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/syntax"
)

// Program is a compiled program. It is immutable.
type Program struct {
	commands []command
	// variables is the greatest number of variables that a command has.
	variables int
	traits    Traits
	// deepens: manifests can come to be nested deeper than they were by more than a little.
	deepens bool
	// uneven: some manifests of an object can become another one, for reasons that a record of its deletion does not have.
	uneven bool
}

// Traits say what a program can do to a trace beyond changing objects where they stand.
type Traits struct {
	// Drops: objects can go. DropsSome: of one object, some manifests can go, or become another object, and others stay.
	Drops, DropsSome bool
	// Renames: an object can become another one.
	Renames bool
	// Moves: objects can come at another time. MovesRecords: the record of a deletion alone tells when it comes.
	Moves, MovesRecords bool
	// Copies: objects can become several.
	Copies bool
	// Inserts: there are objects to insert.
	Inserts bool
}

// Tracks tells that what becomes of an object's deletion depends on what became of the object.
func (t Traits) Tracks() bool { return t.Drops || t.Renames || t.Moves || t.Copies }

// Traits tells what the program can do.
func (p *Program) Traits() Traits { return p.traits }

// Len gives the number of commands.
func (p *Program) Len() int { return len(p.commands) }

// command is a compiled command.
type command struct {
	span     syntax.Span
	kind     syntax.CommandKind
	selector expr // nil: everything
	// needs are keys without which the selector cannot hold, targetNeeds those without which the target has no place.
	needs, targetNeeds [][]byte
	target             *path
	value              operand
	factor             float64
	seconds            int64 // of Shift, and Insert
	relative           bool  // the time of Insert
	copies             int
	object             []byte // of Insert
	// records: the selector can be told from what a trace has of a deleted object. named: it asks which object it is; byName: also for its name, which copies do
	// not share.
	records, named, byName bool
	// renames: the target can be what tells which object it is.
	renames bool
}

// Compile compiles a program without mistakes.
func Compile(p *syntax.Program) *Program {
	out := &Program{traits: Traits{MovesRecords: true}}
	for _, c := range p.Commands {
		out.commands = append(out.commands, out.command(c))
	}
	return out
}

func (p *Program) command(c *syntax.Command) command {
	s := newScope()
	out := command{span: c.Span, kind: c.Kind, records: true}
	if c.Selector != nil {
		out.selector = s.expr(c.Selector)
		out.records, out.named, out.byName = s.records, s.named, s.byName
		out.needs = distinctive(out.selector.needs(nil))
	}
	switch c.Kind {
	case syntax.Delete:
		p.traits.Drops = true
		p.traits.DropsSome = p.traits.DropsSome || !out.records || s.timed
	case syntax.Remove:
		out.target = s.path(c.Target)
		out.targetNeeds = distinctive(out.target.needs(nil))
	case syntax.Modify:
		out.target = s.path(c.Target)
		out.value = s.operand(c.Value)
		p.deepens = p.deepens || out.value.path != nil || len(out.target.full)+literalDepth(c.Value) > harmlessDepth
	case syntax.Insert:
		p.traits.Inserts = true
		out.seconds, out.relative = c.Time.Seconds, c.Time.Relative
		out.object = appendLiteral(nil, c.Object, true)
	case syntax.Scale:
		out.factor = c.Factor.Float
		if c.Factor.Kind == syntax.IntLiteral {
			out.factor = float64(c.Factor.Int)
		}
	case syntax.Shift:
		p.traits.Moves = true
		// Behind copies and some renames, the record does not have the name that a selector asks for.
		p.traits.MovesRecords = p.traits.MovesRecords && out.records && !(out.named && p.uneven) && !(out.byName && p.traits.Copies)
		out.seconds = c.Duration.Seconds
	case syntax.Duplicate:
		p.traits.Copies = true
		out.copies = int(c.Copies.Int)
	}
	if out.target != nil {
		out.renames = identifies(out.target.full)
		p.traits.Renames = p.traits.Renames || out.renames
		if out.renames && (s.timed || !out.recorded()) {
			p.traits.DropsSome, p.uneven = true, true
		}
	}
	p.variables = max(p.variables, len(s.names))
	return out
}

// recorded tells whether what the command does can be told from what a trace has of a deleted object.
func (c *command) recorded() bool {
	return c.records && (c.value.path == nil || recorded(c.value.path.full))
}

// harmlessDepth is how deep a program may set values without any manifest becoming deeper than a trace can hold, whatever other commands do: what is
// not there is made on the way to a place that the program spells out.
const harmlessDepth = 100

// literalDepth tells how deep a literal is nested.
func literalDepth(o syntax.Operand) int {
	l, ok := o.(*syntax.Literal)
	if !ok {
		return 0
	}
	depth := 0
	for _, e := range l.Elements {
		depth = max(depth, literalDepth(e))
	}
	return depth + 1
}

// identifies tells whether a place can be part of what tells which object a manifest is.
func identifies(full []syntax.Segment) bool {
	if len(full) == 0 || full[0].Kind != syntax.Field {
		return false
	}
	switch full[0].Name {
	case "apiVersion", "kind":
		return true
	case "metadata":
		return len(full) == 1 || full[1].Kind == syntax.Field && (full[1].Name == "name" || full[1].Name == "namespace")
	}
	return false
}

// maxNeeds is how many keys are looked for before a manifest is taken apart.
const maxNeeds = 3

// distinctive picks the keys that are the least likely to be there by chance.
func distinctive(needs [][]byte) [][]byte {
	slices.SortFunc(needs, func(a, b []byte) int { return cmp.Or(len(b)-len(a), cmp.Compare(string(a), string(b))) })
	needs = slices.CompactFunc(needs, func(a, b []byte) bool { return string(a) == string(b) })
	return needs[:min(len(needs), maxNeeds)]
}

// appendLiteral appends a literal as canonical msgpack; manifest tells that it is one, whose keys have an order of their own.
func appendLiteral(b []byte, l *syntax.Literal, manifest bool) []byte {
	switch l.Kind {
	case syntax.BoolLiteral:
		return msgp.AppendBool(b, l.Bool)
	case syntax.IntLiteral:
		if l.Int >= 0 {
			return msgp.AppendUint64(b, uint64(l.Int))
		}
		return msgp.AppendInt64(b, l.Int)
	case syntax.FloatLiteral:
		return msgp.AppendFloat64(b, l.Float)
	case syntax.StringLiteral:
		return msgp.AppendString(b, l.String)
	case syntax.ArrayLiteral:
		b = msgp.AppendArrayHeader(b, uint32(len(l.Elements)))
		for _, e := range l.Elements {
			b = appendLiteral(b, e, false)
		}
		return b
	case syntax.MapLiteral:
		order := make([]int, len(l.Keys))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(x, y int) int {
			a, b := l.Keys[x].Name, l.Keys[y].Name
			if manifest {
				if c := cmp.Compare(document.Rank(a), document.Rank(b)); c != 0 {
					return c
				}
			}
			return cmp.Compare(a, b)
		})
		b = msgp.AppendMapHeader(b, uint32(len(l.Keys)))
		for _, i := range order {
			b = appendLiteral(msgp.AppendString(b, l.Keys[i].Name), l.Elements[i], false)
		}
		return b
	}
	return msgp.AppendNil(b)
}
