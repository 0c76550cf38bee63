package machine

import (
	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

// CompileSelector compiles a selector alone; nil matches everything.
func CompileSelector(e syntax.Expr) *Program {
	s := newScope()
	c := command{kind: syntax.Remove, records: true}
	if e != nil {
		c.selector = s.expr(e)
		c.records = s.records
		c.requiredKeys = rarestKeys(c.selector.requiredKeys(nil))
	}
	return &Program{commands: []command{c}, variables: len(s.names)}
}

// Matches reports whether a selector matches an object at a time.
func (m *Machine) Matches(time int64, obj *trace.Object) (bool, error) {
	m.time, m.steps = time, 0
	m.begin(obj, obj.Raw())
	return m.matches(&m.program.commands[0])
}
