package syntax

import "strings"

// byteOrderMark may stand at the beginning of a source, where some editors put it.
const byteOrderMark = "\ufeff"

// lexer cuts a source into tokens. Every state consumes one token, or what lies between two, and gives the next state.
type lexer struct {
	source   string
	at       int
	tokens   []token
	comments []Span
}

type lexState func(*lexer) lexState

// lex gives the tokens of a source, of which the last is its end, and the comments.
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

// emit adds the token of the bytes from start up to where the lexer is.
func (l *lexer) emit(kind tokenKind, start int) lexState {
	l.tokens = append(l.tokens, token{Span: Span{start, l.at}, kind: kind})
	return lexBetween
}

// skip moves on while the bytes are of a sort.
func (l *lexer) skip(of func(byte) bool) {
	for l.at < len(l.source) && of(l.source[l.at]) {
		l.at++
	}
}

// lexBetween skips white space and finds out what begins.
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

// lexString goes to the closing quote, over lines if need be. A backslash keeps a quote, or another backslash, from its own meaning.
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
	// What the language has no use for is taken together: a word of another script is one mistake, not one for each letter.
	l.skip(func(c byte) bool {
		if isSpace(c) || isWord(c) || strings.IndexByte("#\"$@", c) >= 0 {
			return false
		}
		_, _, ok := fixedToken(string(rune(c)))
		return c >= 0x80 || !ok
	})
	return l.emit(tokenStrange, start)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isName tells what variables are made of.
func isName(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

// isWord tells what the bare parts of paths, and numbers, are made of.
func isWord(c byte) bool { return isName(c) || c == '-' }

// unquote gives the text of a string token: \", \\ and \n are what they are elsewhere, any other backslash is one.
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
