package syntax

import "strings"

// tokenKind tells tokens apart.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota // the end of the source
	tokenWord
	tokenString
	tokenVariable
	tokenAt // @t, @gvk, or a name that means nothing
	tokenDot
	tokenComma
	tokenSemicolon
	tokenColon
	tokenStar
	tokenPlus
	tokenOpen
	tokenClose
	tokenOpenIndex
	tokenCloseIndex
	tokenOpenMap
	tokenCloseMap
	tokenDefine
	tokenAssign
	tokenPipe
	tokenOr
	tokenAnd
	tokenNot
	tokenEqual
	tokenNotEqual
	tokenLess
	tokenLessOrEqual
	tokenGreater
	tokenGreaterOrEqual
	tokenMatch
	// The rest is not of the language; the parser says so where it meets them.
	tokenUnterminated
	tokenAmpersand
	tokenDollar
	tokenStrange
)

// token is a piece of the source. Words, numbers and keywords are all words: what they are depends on the place.
type token struct {
	Span
	kind tokenKind
}

// fixedTokens are those of one spelling; of two that fit, the longer comes first.
var fixedTokens = []struct {
	text string
	kind tokenKind
}{
	{":=", tokenDefine},
	{"==", tokenEqual},
	{"=~", tokenMatch},
	{"!=", tokenNotEqual},
	{"<=", tokenLessOrEqual},
	{">=", tokenGreaterOrEqual},
	{"&&", tokenAnd},
	{"||", tokenOr},
	{".", tokenDot},
	{",", tokenComma},
	{";", tokenSemicolon},
	{":", tokenColon},
	{"*", tokenStar},
	{"+", tokenPlus},
	{"(", tokenOpen},
	{")", tokenClose},
	{"[", tokenOpenIndex},
	{"]", tokenCloseIndex},
	{"{", tokenOpenMap},
	{"}", tokenCloseMap},
	{"=", tokenAssign},
	{"|", tokenPipe},
	{"!", tokenNot},
	{"<", tokenLess},
	{">", tokenGreater},
	{"&", tokenAmpersand},
}

// fixedToken gives the token that text begins with, if it is one of those of one spelling.
func fixedToken(text string) (kind tokenKind, length int, ok bool) {
	for _, f := range fixedTokens {
		if strings.HasPrefix(text, f.text) {
			return f.kind, len(f.text), true
		}
	}
	return 0, 0, false
}
