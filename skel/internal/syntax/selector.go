package syntax

import (
	"regexp"
	"strings"

	"simkube.io/simkube/trace"
)

// or parses terms separated by ||. Parentheses around a term that is such a list itself are
// ignored.
func (p *parser) or() (Expr, bool) {
	start := p.current().Start
	e, ok := p.and()
	if !ok || !p.at(tokenOr) {
		return e, ok && p.checkJoined()
	}
	terms := alternatives(nil, e)
	for p.accept(tokenOr) {
		if e, ok = p.and(); !ok {
			return nil, false
		}
		terms = alternatives(terms, e)
	}
	return &Or{p.from(start), terms}, p.checkJoined()
}

func alternatives(terms []Expr, e Expr) []Expr {
	if inner, is := e.(*Or); is {
		return append(terms, inner.Terms...)
	}
	return append(terms, e)
}

// and parses terms separated by &&, like or.
func (p *parser) and() (Expr, bool) {
	start := p.current().Start
	e, ok := p.term()
	if !ok || !p.at(tokenAnd) {
		return e, ok
	}
	terms := conjuncts(nil, e)
	for p.accept(tokenAnd) {
		if e, ok = p.term(); !ok {
			return nil, false
		}
		terms = conjuncts(terms, e)
	}
	return &And{p.from(start), terms}, true
}

func conjuncts(terms []Expr, e Expr) []Expr {
	if inner, is := e.(*And); is {
		return append(terms, inner.Terms...)
	}
	return append(terms, e)
}

// checkJoined reports an error and returns false if a selector is followed by a likely misspelling
// of && or ||.
func (p *parser) checkJoined() bool {
	t := p.current()
	switch {
	case t.kind == tokenAmpersand:
		p.report(singleAmpersand(t.Span))
	case t.kind == tokenPipe:
		p.report(singlePipe(t.Span))
	case t.kind == tokenWord && strings.EqualFold(p.text(t), "and"):
		p.report(wordForOperator(t.Span, p.text(t), "&&"))
	case t.kind == tokenWord && strings.EqualFold(p.text(t), "or"):
		p.report(wordForOperator(t.Span, p.text(t), "||"))
	default:
		return true
	}
	return false
}

// term parses a test, a definition, or an expression in parentheses.
func (p *parser) term() (Expr, bool) {
	t := p.current()
	switch {
	case t.kind == tokenOpen:
		return p.parenthesised()
	case t.kind == tokenNot:
		return p.not()
	case t.kind == tokenAt:
		return p.special()
	case t.kind == tokenVariable && p.following().kind == tokenDefine:
		return p.define()
	case t.kind == tokenStar:
		p.report(starInSelector(t.Span))
		return nil, false
	case t.kind == tokenWord && p.text(t) == "exists" && p.following().kind == tokenOpen:
		return p.exists(t.Start, false)
	case t.kind == tokenWord && p.following().kind == tokenOpen, t.kind == tokenWord && p.text(t) == "not" && p.following().kind == tokenWord:
		p.report(unknownTest(t.Span, p.text(t)))
		return nil, false
	}
	return p.test()
}

func (p *parser) parenthesised() (Expr, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	p.next()
	e, ok := p.or()
	if !ok || !p.expect(tokenClose, "`&&`, `||` or `)`") {
		return nil, false
	}
	return e, true
}

// not parses a term that begins with an exclamation mark.
func (p *parser) not() (Expr, bool) {
	mark := p.next()
	switch {
	case p.atWord("exists") && p.following().kind == tokenOpen:
		return p.exists(mark.Start, true)
	case p.at(tokenOpen):
		e, ok := p.parenthesised()
		if !ok {
			return nil, false
		}
		return &Not{p.from(mark.Start), e}, true
	}
	p.report(misplacedNot(mark.Span))
	return nil, false
}

func (p *parser) exists(start int, negated bool) (Expr, bool) {
	p.next()
	p.next()
	path, ok := p.path("the path of a field")
	if !ok || !p.expect(tokenClose, "`)`") {
		return nil, false
	}
	return &Exists{p.from(start), path, negated}, true
}

// define parses "$x := path | test".
func (p *parser) define() (Expr, bool) {
	v := p.next()
	d := &Define{Var: &Variable{v.Span, p.text(v)[1:]}}
	p.next()
	var ok bool
	if d.Path, ok = p.path("a path, whose places the variable stands for,"); !ok {
		return nil, false
	}
	if !p.at(tokenPipe) {
		p.report(noVariableTest(p.current().Span, p.text(v)))
		return nil, false
	}
	p.next()
	d.Parenthesised = p.at(tokenOpen)
	if d.Test, ok = p.term(); !ok {
		return nil, false
	}
	d.Span = p.from(v.Start)
	return d, true
}

// test parses a test of a field.
func (p *parser) test() (Expr, bool) {
	left, ok := p.path("a test")
	if !ok {
		return nil, false
	}
	t := p.current()
	if op, is := comparison(t.kind); is {
		p.next()
		right, ok := p.operand()
		return &Compare{p.from(left.Start), left, op, t.Span, right}, ok
	}
	switch {
	case t.kind == tokenMatch:
		p.next()
		pattern, re, ok := p.pattern()
		return &Match{p.from(left.Start), left, pattern, re}, ok
	case p.atWord("in"):
		p.next()
		values, ok := p.values()
		return &In{p.from(left.Start), left, values}, ok
	case t.kind == tokenAssign && left.Var != nil && len(left.Segments) == 0:
		p.report(assignmentForDefinition(t.Span))
	case t.kind == tokenAssign:
		p.report(assignmentForComparison(t.Span))
	case t.kind == tokenDefine:
		p.report(definitionOfPath(left.Span))
	case p.atAny(tokenComma, tokenClose, tokenAnd, tokenOr, tokenSemicolon, tokenEnd):
		p.report(pathAlone(left.Span, p.source[left.Start:left.End]))
	default:
		p.unexpected("a comparison such as `==`")
	}
	return nil, false
}

func comparison(kind tokenKind) (Op, bool) {
	switch kind {
	case tokenEqual:
		return Equal, true
	case tokenNotEqual:
		return NotEqual, true
	case tokenLess:
		return Less, true
	case tokenLessOrEqual:
		return LessOrEqual, true
	case tokenGreater:
		return Greater, true
	case tokenGreaterOrEqual:
		return GreaterOrEqual, true
	}
	return 0, false
}

// values parses the array of in.
func (p *parser) values() (*Literal, bool) {
	if !p.at(tokenOpenIndex) {
		p.unexpected("an array of values: `[\"a\", \"b\"]`")
		return nil, false
	}
	return p.literal()
}

// pattern parses the regular expression of =~. If it cannot be compiled, parsing continues after
// it.
func (p *parser) pattern() (*Literal, *regexp.Regexp, bool) {
	if !p.at(tokenString) {
		p.unexpected("a regular expression in quotes")
		return nil, nil, false
	}
	pattern, ok := p.literal()
	if !ok {
		return nil, nil, false
	}
	re, err := regexp.Compile(pattern.String)
	if err != nil {
		p.report(badPattern(pattern.Span, strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
	}
	return pattern, re, true
}

// special parses a test of @t or @gvk.
func (p *parser) special() (Expr, bool) {
	t := p.next()
	switch p.text(t) {
	case "@t":
		return p.timeTest(t)
	case "@gvk":
		return p.kindTest(t)
	}
	p.report(unknownSpecial(t.Span, p.text(t)))
	return nil, false
}

func (p *parser) timeTest(t token) (Expr, bool) {
	operator := p.current()
	op, is := comparison(operator.kind)
	if !is {
		if operator.kind == tokenAssign {
			p.report(assignmentForComparison(operator.Span))
		} else {
			p.unexpected("`==`, `!=`, `<`, `<=`, `>` or `>=` after `@t`")
		}
		return nil, false
	}
	p.next()
	time, ok := p.time()
	return &TimeTest{p.from(t.Start), op, time}, ok
}

func (p *parser) kindTest(t token) (Expr, bool) {
	k := &KindTest{}
	operator := p.current()
	var ok bool
	switch {
	case p.atAny(tokenEqual, tokenNotEqual):
		p.next()
		k.Negated = operator.kind == tokenNotEqual
		if !p.at(tokenString) {
			p.unexpected("a kind in quotes, such as \"apps/v1.Deployment\"")
			return nil, false
		}
		if k.Values, ok = p.literal(); !ok {
			return nil, false
		}
		p.kinds(k, k.Values)
	case p.atWord("in"):
		p.next()
		if k.Values, ok = p.values(); !ok {
			return nil, false
		}
		p.kinds(k, k.Values.Elements...)
	case p.at(tokenMatch):
		p.next()
		if k.Pattern, k.Regexp, ok = p.pattern(); !ok {
			return nil, false
		}
	case p.at(tokenAssign):
		p.report(assignmentForComparison(operator.Span))
		return nil, false
	default:
		p.unexpected("`==`, `!=`, `in` or `=~` after `@gvk`")
		return nil, false
	}
	k.Span = p.from(t.Start)
	return k, true
}

// kinds adds the kinds in values.
func (p *parser) kinds(k *KindTest, values ...*Literal) {
	for _, v := range values {
		kind, err := trace.ParseGVK(v.String)
		if v.Kind != StringLiteral || err != nil {
			p.report(badKind(v.Span))
			continue
		}
		k.Kinds = append(k.Kinds, kind)
	}
}
