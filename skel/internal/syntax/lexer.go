package syntax

import "strings"

// byteOrderMark may be at the beginning of a source, because some editors write it.
const byteOrderMark = "\ufeff"

// lexer splits a source into tokens. Every state function consumes one token, or the text between
// two, and returns the next state.
type lexer struct {
	source   string
	at       int
	tokens   []token
	comments []Span
}

type lexState func(*lexer) lexState

// lex returns the tokens of a source, the last of which is its end, and the comments.
func lex(source string) ([]token, []Span) {
	l := &lexer{source: source}
	if strings.HasPrefix(source, byteOrderMark) {
		l.at = len(byteOrderMark)
	}
	for state := lexBetween; state != nil; {
		state = state(l)
	}
	return l.tokens, l.comments
}

// emit adds a token with the bytes from start to the current position.
func (l *lexer) emit(kind tokenKind, start int) lexState {
	l.tokens = append(l.tokens, token{Span: Span{start, l.at}, kind: kind})
	return lexBetween
}

// skip moves past bytes for which of returns true.
func (l *lexer) skip(of func(byte) bool) {
	for l.at < len(l.source) && of(l.source[l.at]) {
		l.at++
	}
}

// lexBetween skips white space and determines the next state.
func lexBetween(l *lexer) lexState {
	l.skip(isSpace)
	if l.at == len(l.source) {
		l.emit(tokenEnd, l.at)
		return nil
	}
	switch c := l.source[l.at]; {
	case c == '#':
		return lexComment
	case c == '"':
		return lexString
	case c == '$':
		return lexVariable
	case c == '@':
		return lexAt
	case isWord(c):
		return lexWord
	}
	return lexFixed
}

func lexComment(l *lexer) lexState {
	start := l.at
	l.skip(func(c byte) bool { return c != '\n' })
	end := start + len(strings.TrimRight(l.source[start:l.at], " \t\r"))
	l.comments = append(l.comments, Span{start, end})
	return lexBetween
}

// lexString moves to the closing quote, possibly over several lines. A backslash escapes a quote or
// another backslash.
func lexString(l *lexer) lexState {
	start := l.at
	for l.at++; l.at < len(l.source); l.at++ {
		switch l.source[l.at] {
		case '"':
			l.at++
			return l.emit(tokenString, start)
		case '\\':
			if l.at+1 < len(l.source) && (l.source[l.at+1] == '"' || l.source[l.at+1] == '\\') {
				l.at++
			}
		}
	}
	return l.emit(tokenUnterminated, start)
}

func lexVariable(l *lexer) lexState {
	start := l.at
	l.at++
	if l.at == len(l.source) || !isName(l.source[l.at]) || isDigit(l.source[l.at]) {
		return l.emit(tokenDollar, start)
	}
	l.skip(isName)
	return l.emit(tokenVariable, start)
}

func lexAt(l *lexer) lexState {
	start := l.at
	l.at++
	l.skip(isName)
	return l.emit(tokenAt, start)
}

func lexWord(l *lexer) lexState {
	start := l.at
	l.skip(isWord)
	return l.emit(tokenWord, start)
}

func lexFixed(l *lexer) lexState {
	start := l.at
	if kind, length, ok := fixedToken(l.source[start:]); ok {
		l.at += length
		return l.emit(kind, start)
	}
	// Consecutive unexpected characters form one token, so that a word in another script is reported
	// as one mistake, not one for each letter.
	l.skip(func(c byte) bool {
		if isSpace(c) || isWord(c) || strings.IndexByte("#\"$@", c) >= 0 {
			return false
		}
		_, _, ok := fixedToken(string(rune(c)))
		return c >= 0x80 || !ok
	})
	return l.emit(tokenInvalid, start)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isName reports whether a byte can be in the name of a variable.
func isName(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

// isWord reports whether a byte can be in an unquoted part of a path, or in a number.
func isWord(c byte) bool { return isName(c) || c == '-' }

// unquote returns the text of a string token. It unescapes \", \\ and \n; any other backslash is
// kept.
func unquote(quoted string) string {
	text := quoted[1 : len(quoted)-1]
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			switch text[i+1] {
			case '"', '\\':
				i++
			case 'n':
				i++
				b.WriteByte('\n')
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
