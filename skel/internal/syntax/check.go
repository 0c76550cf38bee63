package syntax

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// checker checks the parts of a syntax tree that the grammar does not. Each command needs a new
// one.
type checker struct {
	report func(Diagnostic)
	// defined are the variables defined so far; isDefined is the set of them.
	defined   []string
	isDefined map[string]bool
	// later are the variables that the selector defines anywhere.
	later map[string]bool
	// self is the variable whose test is being checked.
	self string
}

func newChecker(report func(Diagnostic)) *checker {
	return &checker{report: report, isDefined: map[string]bool{}, later: map[string]bool{}}
}

// checkCommand checks the parsed parts of a command. An incomplete command may lack a definition,
// so undefined variables are not reported for it.
func (p *parser) checkCommand(c *Command, complete bool) {
	check := newChecker(p.report)
	if c.Selector != nil {
		check.selector(c.Selector)
	}
	if complete {
		check.used(c.Target)
		if from, is := c.Value.(*Path); is {
			check.used(from)
		}
	}
	if c.Time != nil && !c.Time.Relative && c.Time.Seconds > maxInsertTime {
		p.report(timeOutOfRange(c.Time.Span))
	}
	if c.Object != nil {
		check.object(c.Object)
	}
}

// checkSelector checks a selector without a command.
func (p *parser) checkSelector(e Expr) {
	check := newChecker(p.report)
	check.selector(e)
}

// maxInsertTime is the end of the year 9999, the latest time that timestamps can represent.
const maxInsertTime = 253402300799

// selector checks a whole selector. Only its top-level terms may define variables.
func (c *checker) selector(e Expr) {
	terms := conjuncts(nil, e)
	for _, term := range terms {
		if d, is := term.(*Define); is {
			c.later[d.Var.Name] = true
		}
	}
	for _, term := range terms {
		if d, is := term.(*Define); is {
			c.define(d)
			continue
		}
		c.test(term)
	}
}

func (c *checker) define(d *Define) {
	c.used(d.Path)
	name := d.Var.Name
	if c.isDefined[name] {
		c.report(definedTwice(d.Var.Span, name))
	}
	c.self = name
	c.test(d.Test)
	c.self = ""
	c.add(name)
}

func (c *checker) add(name string) {
	if !c.isDefined[name] {
		c.isDefined[name] = true
		c.defined = append(c.defined, name)
	}
}

// test checks a test, or a combination of tests.
func (c *checker) test(e Expr) {
	switch e := e.(type) {
	case *And:
		c.tests(e.Terms)
	case *Or:
		c.tests(e.Terms)
	case *Not:
		c.test(e.Term)
	case *Exists:
		c.left(e.Path)
	case *Compare:
		c.left(e.Left)
		c.compare(e)
	case *In:
		c.left(e.Left)
	case *Match:
		c.left(e.Left)
	case *TimeTest, *KindTest:
		if c.self != "" {
			c.report(notOfVariable(e.Extent(), c.self))
		}
	case *Define:
		c.report(misplacedDefinition(e.Var.Span))
		// Uses of the variable are not errors.
		c.add(e.Var.Name)
	}
}

func (c *checker) tests(terms []Expr) {
	for _, term := range terms {
		c.test(term)
	}
}

// left checks the path on the left side of a test.
func (c *checker) left(path *Path) {
	if c.self == "" {
		c.used(path)
		return
	}
	if path.Var == nil || path.Var.Name != c.self {
		c.report(otherLeftSide(path.Span, c.self))
	}
}

func (c *checker) compare(e *Compare) {
	switch right := e.Right.(type) {
	case *Path:
		c.used(right)
	case *Literal:
		if e.Op != Equal && e.Op != NotEqual {
			c.ordered(right, e.Op)
		}
	}
}

// ordered checks a value of an ordered comparison.
func (c *checker) ordered(l *Literal, op Op) {
	switch l.Kind {
	case IntLiteral, FloatLiteral:
	case StringLiteral:
		if _, err := ParseQuantity(l.String); err != nil {
			c.report(notAQuantity(l.Span, op))
		}
	default:
		c.report(notOrdered(l.Span, op))
	}
}

// used checks that the variable that a path begins with, if any, is defined to its left.
func (c *checker) used(path *Path) {
	if path == nil || path.Var == nil || c.isDefined[path.Var.Name] {
		return
	}
	name := path.Var.Name
	switch {
	case name == c.self:
		c.report(usedByItself(path.Var.Span, name))
	case c.later[name]:
		c.report(usedBeforeDefinition(path.Var.Span, name))
	default:
		c.report(undefinedVariable(path.Var.Span, name, c.defined))
	}
}

// object checks that an object can be inserted.
func (c *checker) object(l *Literal) {
	version := c.text(l, l, "apiVersion")
	c.text(l, l, "kind")
	if version != nil {
		if _, err := schema.ParseGroupVersion(version.String); err != nil {
			c.report(badAPIVersion(version.Span))
		}
	}
	metadata := l.member("metadata")
	if metadata == nil || metadata.Kind != MapLiteral {
		c.report(incompleteObject(l.Span, "metadata.name"))
		return
	}
	c.text(l, metadata, "name")
	if namespace := metadata.member("namespace"); namespace != nil && namespace.Kind != StringLiteral {
		c.report(badNamespace(namespace.Span))
	}
}

// text returns the string at a required key of one of an object's maps, or nil if it is missing or
// not a string.
func (c *checker) text(object, in *Literal, key string) *Literal {
	l := in.member(key)
	if l != nil && l.Kind == StringLiteral && l.String != "" {
		return l
	}
	name, at := key, object.Span
	if in != object {
		name = "metadata." + key
	}
	if l != nil {
		at = l.Span
	}
	c.report(incompleteObject(at, name))
	return nil
}

// member returns the value of a map's key, or nil if the key does not exist.
func (l *Literal) member(key string) *Literal {
	for i := range l.Keys {
		if l.Keys[i].Name == key {
			return l.Elements[i]
		}
	}
	return nil
}
