package syntax

// program parses all commands.
func (p *parser) program() []*Command {
	var commands []*Command
	for count := 0; !p.at(tokenEnd); count++ {
		if count == p.limits.Commands {
			p.report(tooManyCommands(p.current().Span, p.limits.Commands))
			break
		}
		p.nesting, p.depth = 0, 0
		if c := p.command(); c != nil {
			commands = append(commands, c)
		}
	}
	return commands
}

// selectorAlone parses a source that is only a selector.
func (p *parser) selectorAlone() Expr {
	if p.at(tokenEnd) || p.at(tokenStar) && p.following().kind == tokenEnd {
		return nil
	}
	selector, ok := p.or()
	if !ok {
		return nil
	}
	if !p.at(tokenEnd) {
		p.unexpected("`&&`, `||` or the end of the selector")
		return nil
	}
	p.checkSelector(selector)
	return selector
}

// command parses a command up to its semicolon. It returns nil if the command is not complete.
func (p *parser) command() *Command {
	name := p.current()
	kind, ok := p.commandName()
	if !ok {
		p.skipCommand()
		return nil
	}
	if !p.expect(tokenOpen, "`(` after the command's name") {
		p.skipCommand()
		return nil
	}
	c := &Command{Kind: kind}
	complete := p.arguments(c)
	p.accept(tokenClose)
	c.Span = p.from(name.Start)
	p.checkCommand(c, complete)
	if p.accept(tokenSemicolon) {
		c.Span = p.from(name.Start)
		if !complete {
			return nil
		}
		return c
	}
	switch {
	case !complete:
	case p.atAny(tokenWord, tokenEnd):
		p.report(missingSemicolon(p.afterLast()))
	default:
		p.unexpected("`;`")
	}
	if !p.atCommand() {
		p.skipCommand()
	}
	return nil
}

// commandName parses the name of a command.
func (p *parser) commandName() (kind CommandKind, ok bool) {
	t := p.current()
	if t.kind == tokenSemicolon {
		p.report(emptyCommand(t.Span))
		return 0, false
	}
	if t.kind != tokenWord {
		p.unexpected("a command")
		return 0, false
	}
	for kind := Delete; kind <= Duplicate; kind++ {
		if p.text(t) == kind.String() {
			p.next()
			return kind, true
		}
	}
	p.report(unknownCommand(t.Span, p.text(t)))
	return 0, false
}

// skipCommand moves past the next semicolon, or past the closing parenthesis of a command that
// seems to lack its semicolon.
func (p *parser) skipCommand() {
	for !p.atAny(tokenEnd, tokenSemicolon) {
		if p.next().kind == tokenClose && p.nesting <= 0 && p.atCommand() {
			return
		}
	}
	p.accept(tokenSemicolon)
}

// atCommand reports whether a command seems to begin.
func (p *parser) atCommand() bool { return p.at(tokenWord) && p.following().kind == tokenOpen }

// skipArgument moves to the comma after the current argument, or to the end of the command's
// arguments.
func (p *parser) skipArgument() {
	for !p.atAny(tokenEnd, tokenSemicolon) && (p.nesting > 1 || !p.atAny(tokenComma, tokenClose)) {
		p.next()
	}
}

// argument is an argument of a command.
type argument struct {
	// read parses the argument and reports whether it succeeded.
	read func() bool
	// or is what may follow the argument other than a comma or the end.
	or string
}

// arguments parses the arguments of a command and reports whether they are complete. It stops
// before the closing parenthesis.
func (p *parser) arguments(c *Command) bool {
	selector := argument{func() bool { return p.selector(c) }, "`&&`, `||` or "}
	switch c.Kind {
	case Delete:
		return p.list(c.Kind, selector)
	case Remove:
		target := argument{func() bool { return p.target(c) }, ""}
		if p.bareTarget(tokenClose, tokenSemicolon, tokenEnd) {
			return p.list(c.Kind, target)
		}
		return p.list(c.Kind, selector, target)
	case Modify:
		if p.bareTarget(tokenAssign, tokenClose, tokenSemicolon, tokenEnd) {
			return p.list(c.Kind, argument{func() bool { return p.assignment(c) && p.lastAssignment() }, ""})
		}
		return p.list(c.Kind, selector, argument{func() bool { return p.assignment(c) }, ""})
	case Insert:
		return p.list(c.Kind, argument{func() bool { return p.insertTime(c) }, ""}, argument{func() bool { return p.object(c) }, ""})
	case Scale:
		return p.list(c.Kind, selector, argument{func() bool { return p.factor(c) }, ""})
	case Shift:
		return p.list(c.Kind, selector, argument{func() bool { return p.shiftDuration(c) }, ""})
	default:
		return p.list(c.Kind, selector, argument{func() bool { return p.copies(c) }, ""})
	}
}

// list parses arguments separated by commas. After an error in one argument it continues with the
// next.
func (p *parser) list(kind CommandKind, arguments ...argument) bool {
	complete := true
	for i, a := range arguments {
		ok := a.read()
		last := i == len(arguments)-1
		switch {
		case !ok:
		case last && p.at(tokenClose) || !last && p.at(tokenComma):
		case last && p.at(tokenComma):
			p.report(tooManyArguments(p.current().Span, kind))
			ok = false
		case !last && p.at(tokenClose):
			p.report(tooFewArguments(p.current().Span, kind))
			ok = false
		case last:
			p.unexpected(a.or + "`)`")
			ok = false
		default:
			p.unexpected(a.or + "`,`")
			ok = false
		}
		if !ok {
			complete = false
			p.skipArgument()
		}
		if !last && !p.accept(tokenComma) {
			return false
		}
	}
	for p.at(tokenComma) {
		p.next()
		p.skipArgument()
	}
	return complete
}

// selector parses the selector argument.
func (p *parser) selector(c *Command) bool {
	switch {
	case p.at(tokenStar):
		star := p.next()
		if p.atAny(tokenAnd, tokenOr, tokenEqual) {
			p.report(starInSelector(star.Span))
			return false
		}
		c.Star = true
		return true
	case p.atAny(tokenComma, tokenClose):
		p.report(noArgument(p.current().Span, c.Kind))
		return false
	}
	selector, ok := p.or()
	if !ok {
		return false
	}
	c.Selector = selector
	if test, is := selector.(*Compare); is && c.Kind == Modify && test.Op == Equal && p.at(tokenClose) {
		p.report(comparisonForAssignment(test.OpSpan))
		return false
	}
	return true
}

// bareTarget reports whether the arguments begin with a path that is followed by one of these
// tokens, which means that there is no selector.
func (p *parser) bareTarget(then ...tokenKind) bool {
	i := p.pos
	for i == p.pos || p.tokens[i].Start == p.tokens[i-1].End {
		switch p.tokens[i].kind {
		case tokenWord, tokenString, tokenVariable, tokenDot, tokenOpenIndex, tokenCloseIndex, tokenStar:
			i++
			continue
		}
		break
	}
	for _, kind := range then {
		if p.tokens[i].kind == kind {
			// A star alone is a selector, not a target.
			return i > p.pos && !p.at(tokenStar)
		}
	}
	return false
}

// target parses the path of remove.
func (p *parser) target(c *Command) (ok bool) {
	c.Target, ok = p.path("the path of a field")
	return ok
}

// assignment parses "path = value".
func (p *parser) assignment(c *Command) (ok bool) {
	if c.Target, ok = p.path("the path of a field"); !ok {
		return false
	}
	if p.at(tokenEqual) {
		p.report(comparisonForAssignment(p.current().Span))
		return false
	}
	if !p.expect(tokenAssign, "`=` and a value") {
		return false
	}
	c.Value, ok = p.operand()
	return ok
}

// lastAssignment reports whether an assignment that is the first argument is also the last. If it
// is not, a test was probably meant.
func (p *parser) lastAssignment() bool {
	if !p.atAny(tokenComma, tokenAnd, tokenOr) {
		return true
	}
	at := p.pos
	for p.tokens[at].kind != tokenAssign {
		at--
	}
	p.report(assignmentForComparison(p.tokens[at].Span))
	return false
}

func (p *parser) insertTime(c *Command) (ok bool) {
	c.Time, ok = p.time()
	return ok
}

func (p *parser) object(c *Command) (ok bool) {
	if !p.at(tokenOpenMap) {
		p.unexpected("an object: `{\"apiVersion\": ...}`")
		return false
	}
	c.Object, ok = p.literal()
	return ok
}

func (p *parser) factor(c *Command) bool {
	number, ok := p.number("a factor: a number such as 2 or 0.5")
	if !ok {
		return false
	}
	if number.Int < 0 || number.Float < 0 {
		p.report(negativeFactor(number.Span))
		return false
	}
	c.Factor = number
	return true
}

func (p *parser) shiftDuration(c *Command) (ok bool) {
	c.Duration, ok = p.duration()
	return ok
}

// maxCopies is the maximum number of copies of duplicate.
const maxCopies = 1000

func (p *parser) copies(c *Command) bool {
	number, ok := p.number("a number of copies")
	if !ok {
		return false
	}
	if number.Kind != IntLiteral || number.Int < 1 || number.Int > maxCopies {
		p.report(copiesOutOfRange(number.Span, maxCopies))
		return false
	}
	c.Copies = number
	return true
}
