package syntax

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse parses and checks a program. The tree is complete only if there are no diagnostics. more is
// the number of mistakes beyond MaxDiagnostics.
func Parse(source string, limits Limits) (program *Program, found []Diagnostic, more int) {
	p := newParser(source, limits)
	program = &Program{Source: source}
	if p.readable() {
		program.Comments = p.lex()
		program.Commands = p.program()
	}
	found, more = p.diagnostics()
	return program, found, more
}

// ParseSelector parses and checks a selector without a command. The result is nil for "*" and white
// space.
func ParseSelector(source string, limits Limits) (selector Expr, found []Diagnostic, more int) {
	p := newParser(source, limits)
	if p.readable() {
		p.lex()
		selector = p.selectorAlone()
	}
	found, more = p.diagnostics()
	return selector, found, more
}

// parser is a recursive descent parser. Its methods report errors where they find them, and return
// to their callers only that they failed. After an error in an argument, the caller continues with
// the next argument.
type parser struct {
	source string
	limits Limits
	tokens []token
	pos    int
	// nesting is the number of open brackets in the current command.
	nesting int
	// depth is the nesting depth of the current expression or literal.
	depth int
	found []Diagnostic
	more  int
	// unclosed is the start of a string that is not closed. Nothing after it is parsed.
	unclosed int
}

func newParser(source string, limits Limits) *parser {
	return &parser{source: source, limits: limits, unclosed: math.MaxInt}
}

// readable reports whether the source is text of acceptable length. If it is not, nothing else is
// reported.
func (p *parser) readable() bool {
	if len(p.source) > p.limits.Source {
		p.report(sourceTooLong(len(p.source), p.limits.Source))
		return false
	}
	for at, r := range p.source {
		if r == 0 {
			p.report(nulByte(Span{at, at + 1}))
			return false
		}
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(p.source[at:]); size == 1 {
			p.report(notUTF8(Span{at, at + 1}, p.source[at]))
			return false
		}
	}
	return true
}

// lex creates the tokens and finds the string that is not closed. A missing quote inverts all
// strings after it, so the last one appears to be unclosed. The first one that contains a line
// break is more likely the cause.
func (p *parser) lex() []Span {
	tokens, comments := lex(p.source)
	p.tokens = tokens
	if len(tokens) < 2 || tokens[len(tokens)-2].kind != tokenUnterminated {
		return comments
	}
	unclosedIndex := slices.IndexFunc(tokens, func(t token) bool {
		return t.kind == tokenUnterminated || t.kind == tokenString && strings.Contains(p.text(t), "\n")
	})
	line, _, _ := strings.Cut(p.text(tokens[unclosedIndex]), "\n")
	start := tokens[unclosedIndex].Start
	p.report(unterminatedString(Span{start, start + len(strings.TrimRight(line, " \t\r"))}))
	p.unclosed = start
	return comments
}

// maxStored is the maximum number of mistakes that are kept until they are sorted: those of one
// command are not found in order.
const maxStored = 8 * MaxDiagnostics

func (p *parser) report(d Diagnostic) {
	switch {
	case d.Start >= p.unclosed:
	case len(p.found) == maxStored:
		p.more++
	default:
		p.found = append(p.found, d)
	}
}

// diagnostics returns the reported mistakes, in the order of the source.
func (p *parser) diagnostics() (found []Diagnostic, more int) {
	slices.SortStableFunc(p.found, func(a, b Diagnostic) int { return a.Start - b.Start })
	if over := len(p.found) - MaxDiagnostics; over > 0 {
		return p.found[:MaxDiagnostics:MaxDiagnostics], p.more + over
	}
	return p.found, p.more
}

func (p *parser) text(t token) string { return p.source[t.Start:t.End] }

// current returns the next token to parse; at the end of the source it stays the same.
func (p *parser) current() token { return p.tokens[p.pos] }

// following returns the token after the current one.
func (p *parser) following() token { return p.tokens[min(p.pos+1, len(p.tokens)-1)] }

// end returns the end of the last token that was parsed.
func (p *parser) end() int {
	if p.pos == 0 {
		return 0
	}
	return p.tokens[p.pos-1].End
}

func (p *parser) at(kind tokenKind) bool { return p.tokens[p.pos].kind == kind }

// atAny reports whether the current token is of one of these kinds.
func (p *parser) atAny(kinds ...tokenKind) bool { return slices.Contains(kinds, p.current().kind) }

// atWord reports whether the current token is this word.
func (p *parser) atWord(word string) bool { return p.at(tokenWord) && p.text(p.current()) == word }

// touches reports whether there is nothing between the current token and the previous one.
func (p *parser) touches() bool { return p.pos > 0 && p.current().Start == p.end() }

// next consumes a token.
func (p *parser) next() token {
	t := p.current()
	switch t.kind {
	case tokenEnd:
		return t
	case tokenOpen, tokenOpenIndex, tokenOpenMap:
		p.nesting++
	case tokenClose, tokenCloseIndex, tokenCloseMap:
		p.nesting--
	}
	p.pos++
	return t
}

// accept consumes the current token if it is of this kind.
func (p *parser) accept(kind tokenKind) bool {
	if !p.at(kind) {
		return false
	}
	p.next()
	return true
}

// expect consumes the current token if it is of this kind; otherwise it reports what was expected.
func (p *parser) expect(kind tokenKind, what string) bool {
	if p.accept(kind) {
		return true
	}
	p.unexpected(what)
	return false
}

// unexpected reports that something else is expected in place of the current token.
func (p *parser) unexpected(what string) {
	t := p.current()
	text := p.text(t)
	switch t.kind {
	case tokenEnd, tokenSemicolon:
		p.report(missing(p.afterLast(), what, text))
	case tokenAmpersand:
		p.report(singleAmpersand(t.Span))
	case tokenPipe:
		p.report(singlePipe(t.Span))
	case tokenDollar:
		p.report(namelessVariable(t.Span))
	case tokenInvalid:
		p.report(invalidText(t.Span, text))
	case tokenAt:
		p.report(misplacedAt(t.Span, text, what))
	case tokenPlus:
		p.report(plusSign(t.Span, what))
	default:
		p.report(expected(t.Span, what, text))
	}
}

// afterLast returns the empty span after the last token that was parsed.
func (p *parser) afterLast() Span { return Span{p.end(), p.end()} }

// from returns the span from start to the end of the last token that was parsed.
func (p *parser) from(start int) Span { return Span{start, p.end()} }

// enter enters a nested expression or literal. It reports an error and returns false if the
// nesting is too deep. The caller must leave what it entered.
func (p *parser) enter() bool {
	if p.depth == p.limits.Depth {
		p.report(tooDeep(p.current().Span, p.limits.Depth))
		return false
	}
	p.depth++
	return true
}

func (p *parser) leave() { p.depth-- }
