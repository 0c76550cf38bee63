package syntax

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// operand parses the right side of a comparison or an assignment: a value or a path.
func (p *parser) operand() (Operand, bool) {
	t := p.current()
	switch t.kind {
	case tokenOpenIndex, tokenOpenMap:
		return p.literal()
	case tokenString:
		next := p.following()
		if next.Start > t.End || next.kind != tokenDot && next.kind != tokenOpenIndex {
			return p.literal()
		}
	case tokenWord:
		if _, value := p.scalar(false); value {
			return p.literal()
		}
	}
	return p.path("a value or a path")
}

// literal parses a value.
func (p *parser) literal() (*Literal, bool) { return p.value(false) }

// element parses a value in an array or a map.
func (p *parser) element() (*Literal, bool) { return p.value(true) }

func (p *parser) value(inside bool) (*Literal, bool) {
	t := p.current()
	switch t.kind {
	case tokenString:
		p.next()
		return &Literal{Span: t.Span, Kind: StringLiteral, String: unquote(p.text(t))}, true
	case tokenOpenIndex:
		return p.array()
	case tokenOpenMap:
		return p.mapping()
	case tokenWord:
		tokens, value := p.scalar(inside)
		if !value {
			p.report(bareText(t.Span))
			return nil, false
		}
		for range tokens {
			p.next()
		}
		return p.scalarOf(p.from(t.Start))
	}
	p.unexpected("a value")
	return nil, false
}

var (
	wholeNumber   = regexp.MustCompile(`^-?[0-9]+$`)
	decimalNumber = regexp.MustCompile(`^-?[0-9]+\.[0-9]+$`)
	// jsonNumber matches the other numbers of JSON: those with an exponent.
	jsonNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?[eE][-+]?[0-9]+$`)
)

// scalar reports whether the tokens from the current word on are a number, a boolean or null, and
// how many they are. Numbers with exponents are only values in arrays and maps; elsewhere, for
// compatibility, 1e3 is a path.
func (p *parser) scalar(exponents bool) (tokens int, value bool) {
	i := p.pos + 1
	for p.tokens[i].Start == p.tokens[i-1].End {
		kind := p.tokens[i].kind
		if kind == tokenOpenIndex || kind == tokenString || kind == tokenVariable {
			return 0, false
		}
		if kind != tokenWord && kind != tokenDot && (kind != tokenPlus || !exponents) {
			break
		}
		i++
	}
	text := p.source[p.current().Start:p.tokens[i-1].End]
	value = wholeNumber.MatchString(text) || decimalNumber.MatchString(text) || exponents && jsonNumber.MatchString(text) ||
		strings.EqualFold(text, "true") || strings.EqualFold(text, "false") || strings.EqualFold(text, "null")
	return i - p.pos, value
}

// scalarOf returns the value of a number, a boolean or null.
func (p *parser) scalarOf(span Span) (*Literal, bool) {
	text := p.source[span.Start:span.End]
	l := &Literal{Span: span}
	switch {
	case strings.EqualFold(text, "null"):
		l.Kind = NullLiteral
	case strings.EqualFold(text, "true"):
		l.Kind, l.Bool = BoolLiteral, true
	case strings.EqualFold(text, "false"):
		l.Kind = BoolLiteral
	case wholeNumber.MatchString(text):
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			p.report(integerOutOfRange(span))
			return nil, false
		}
		l.Kind, l.Int = IntLiteral, n
	default:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			p.report(decimalOutOfRange(span))
			return nil, false
		}
		l.Kind, l.Float = FloatLiteral, f
	}
	return l, true
}

// number parses a number.
func (p *parser) number(what string) (*Literal, bool) {
	if p.at(tokenWord) {
		if _, value := p.scalar(false); value {
			l, ok := p.literal()
			if ok && l.Kind != IntLiteral && l.Kind != FloatLiteral {
				p.report(expected(l.Span, what, p.source[l.Start:l.End]))
				ok = false
			}
			return l, ok
		}
	}
	p.unexpected(what)
	return nil, false
}

func (p *parser) array() (*Literal, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	open := p.next()
	l := &Literal{Kind: ArrayLiteral}
	for !p.at(tokenCloseIndex) {
		element, ok := p.element()
		if !ok {
			return nil, false
		}
		l.Elements = append(l.Elements, element)
		if !p.comma(tokenCloseIndex, "`,` or `]`") {
			break
		}
	}
	if !p.accept(tokenCloseIndex) {
		return nil, false
	}
	l.Span = p.from(open.Start)
	return l, true
}

// comma parses the comma between two elements. It reports a trailing comma, and any other token.
func (p *parser) comma(closing tokenKind, what string) bool {
	if p.at(closing) {
		return false
	}
	comma := p.current()
	if !p.expect(tokenComma, what) {
		return false
	}
	if !p.at(closing) {
		return true
	}
	p.report(trailingComma(comma.Span))
	return false
}

func (p *parser) mapping() (*Literal, bool) {
	if !p.enter() {
		return nil, false
	}
	defer p.leave()
	open := p.next()
	l := &Literal{Kind: MapLiteral}
	seen := map[string]bool{}
	for !p.at(tokenCloseMap) {
		if !p.entry(l, seen) {
			return nil, false
		}
		if !p.comma(tokenCloseMap, "`,` or `}`") {
			break
		}
	}
	if !p.accept(tokenCloseMap) {
		return nil, false
	}
	l.Span = p.from(open.Start)
	return l, true
}

// entry parses a key and its value.
func (p *parser) entry(l *Literal, seen map[string]bool) bool {
	t := p.current()
	if t.kind == tokenWord {
		p.report(bareKey(t.Span, p.text(t)))
		return false
	}
	if !p.expect(tokenString, "a key in quotes") {
		return false
	}
	key := MapKey{t.Span, unquote(p.text(t))}
	if seen[key.Name] {
		p.report(duplicateKey(t.Span, key.Name))
	}
	seen[key.Name] = true
	if !p.expect(tokenColon, "`:` after the key") {
		return false
	}
	value, ok := p.element()
	if !ok {
		return false
	}
	l.Keys = append(l.Keys, key)
	l.Elements = append(l.Elements, value)
	return true
}

// time parses a time: unix seconds, or a duration after the start of the trace.
func (p *parser) time() (*Time, bool) {
	t := p.current()
	if t.kind != tokenWord {
		if t.kind == tokenString {
			p.report(badTime(t.Span))
		} else {
			p.unexpected("a time, such as 10m after the trace's start, or unix seconds")
		}
		return nil, false
	}
	p.next()
	text := p.text(t)
	if isInteger(text) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			p.report(timeOutOfRange(t.Span))
			return nil, false
		}
		return &Time{t.Span, n, false}, true
	}
	if after, negative := strings.CutPrefix(text, "-"); negative && after != "" && isDigits(after[:1]) {
		p.report(timeOutOfRange(t.Span))
		return nil, false
	}
	seconds, mistake := durationOf(text)
	switch mistake {
	case notADuration:
		p.report(badTime(t.Span))
	case durationTooLong:
		p.report(timeOutOfRange(t.Span))
	default:
		return &Time{t.Span, seconds, true}, true
	}
	return nil, false
}

// duration parses the duration of shift.
func (p *parser) duration() (*Time, bool) {
	start := p.current().Start
	if p.accept(tokenPlus) && (!p.touches() || !p.at(tokenWord) || p.text(p.current())[0] == '-') {
		p.report(badDuration(p.from(start)))
		return nil, false
	}
	t := p.current()
	if t.kind != tokenWord {
		p.unexpected("a duration, such as 10m or -1h30m")
		return nil, false
	}
	p.next()
	span := p.from(start)
	text, negative := strings.CutPrefix(p.text(t), "-")
	seconds, mistake := durationOf(text)
	switch mistake {
	case notADuration:
		p.report(badDuration(span))
		return nil, false
	case durationTooLong:
		p.report(durationOutOfRange(span))
		return nil, false
	}
	if negative {
		seconds = -seconds
	}
	return &Time{span, seconds, true}, true
}

type durationMistake uint8

const (
	noMistake durationMistake = iota
	notADuration
	durationTooLong
)

// maxDuration is the maximum of time.Duration in seconds: 292 years.
const maxDuration = int64(math.MaxInt64 / 1_000_000_000)

// durationOf parses a duration such as 2d, 10m or 1h30m: larger units come first, each at most
// once.
func durationOf(text string) (seconds int64, mistake durationMistake) {
	const units = "dhms"
	sizes := [...]int64{86400, 3600, 60, 1}
	last := -1
	for text != "" {
		digits := 0
		for digits < len(text) && isDigit(text[digits]) {
			digits++
		}
		if digits == 0 || digits == len(text) {
			return 0, notADuration
		}
		unit := strings.IndexByte(units, text[digits])
		if unit <= last {
			return 0, notADuration
		}
		n, err := strconv.ParseInt(text[:digits], 10, 64)
		if err != nil || n > (maxDuration-seconds)/sizes[unit] {
			return 0, durationTooLong
		}
		seconds += n * sizes[unit]
		last, text = unit, text[digits+1:]
	}
	if last < 0 {
		return 0, notADuration
	}
	return seconds, noMistake
}
