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
	// variables is the maximum number of variables of a command.
	variables int
	traits    Traits
	// deepens: the program can increase the nesting depth of manifests significantly.
	deepens bool
	// uneven: some manifests of an object can become another object, depending on fields that the
	// record of its deletion lacks.
	uneven bool
}

// Traits describe the effects of a program on a trace, apart from changing objects in place.
type Traits struct {
	// Drops: objects can be dropped. DropsSome: some manifests of an object can be dropped, or become
	// another object, while others stay.
	Drops, DropsSome bool
	// Renames: an object can become another one.
	Renames bool
	// Moves: objects can move to another time. MovesRecords: the new time of a deletion depends only
	// on the record of the deletion.
	Moves, MovesRecords bool
	// Copies: an object can become several.
	Copies bool
	// Inserts: the program inserts objects.
	Inserts bool
}

// Tracks reports whether the result for an object's deletion depends on the results for the object.
func (t Traits) Tracks() bool { return t.Drops || t.Renames || t.Moves || t.Copies }

// Traits returns the traits of the program.
func (p *Program) Traits() Traits { return p.traits }

// Len returns the number of commands.
func (p *Program) Len() int { return len(p.commands) }

// command is a compiled command.
type command struct {
	span     syntax.Span
	kind     syntax.CommandKind
	selector expr // nil: all objects
	// requiredKeys are keys without which the selector cannot hold, targetKeys keys without which the
	// target has no place.
	requiredKeys, targetKeys [][]byte
	target                   *path
	value                    operand
	factor                   float64
	seconds                  int64 // of Shift and Insert
	relative                 bool  // for the time of Insert
	copies                   int
	object                   []byte // of Insert
	// records: the selector can be evaluated on the record of a deleted object. named: it depends on
	// the kind, namespace or name; byName: it depends on the name, which differs between copies.
	records, named, byName bool
	// renames: the target can be the kind, namespace or name.
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
		out.requiredKeys = rarestKeys(out.selector.requiredKeys(nil))
	}
	switch c.Kind {
	case syntax.Delete:
		p.traits.Drops = true
		p.traits.DropsSome = p.traits.DropsSome || !out.records || s.timed
	case syntax.Remove:
		out.target = s.path(c.Target)
		out.targetKeys = rarestKeys(out.target.requiredKeys(nil))
	case syntax.Modify:
		out.target = s.path(c.Target)
		out.value = s.operand(c.Value)
		p.deepens = p.deepens || out.value.path != nil || len(out.target.full)+literalDepth(c.Value) > safeDepth
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
		// After copies and some renames, the record does not have the name that a selector needs.
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

// recorded reports whether the effect of the command can be computed from the record of a deleted
// object.
func (c *command) recorded() bool {
	return c.records && (c.value.path == nil || recorded(c.value.path.full))
}

// safeDepth is the maximum depth of the values that a program sets for which no manifest can
// exceed the depth limit of a trace, regardless of other commands: missing maps are created only
// along paths that are written in the program.
const safeDepth = 100

// literalDepth returns the nesting depth of a literal.
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

// identifies reports whether a place can be part of the kind, namespace or name.
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

// maxRequiredKeys is the maximum number of keys to search for before a manifest is parsed.
const maxRequiredKeys = 3

// rarestKeys returns the keys that are least likely to occur by chance.
func rarestKeys(requiredKeys [][]byte) [][]byte {
	slices.SortFunc(requiredKeys, func(a, b []byte) int { return cmp.Or(len(b)-len(a), cmp.Compare(string(a), string(b))) })
	requiredKeys = slices.CompactFunc(requiredKeys, func(a, b []byte) bool { return string(a) == string(b) })
	return requiredKeys[:min(len(requiredKeys), maxRequiredKeys)]
}

// appendLiteral appends a literal as canonical msgpack. manifest means that it is a manifest, whose
// keys have their own order.
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
