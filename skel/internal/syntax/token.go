package syntax

import "strings"

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota // the end of the source
	tokenWord
	tokenString
	tokenVariable
	tokenAt // @t, @gvk, or an unknown name
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
	// The remaining kinds are not part of the language; the parser reports them.
	tokenUnterminated
	tokenAmpersand
	tokenDollar
	tokenInvalid
)

// token is a token of the source. Words, numbers and keywords are all words: their meaning depends
// on the context.
type token struct {
	Span
	kind tokenKind
}

// fixedTokens are the tokens with a fixed spelling. If two match, the longer must come first.
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

// fixedToken returns the token with a fixed spelling that text begins with, if any.
func fixedToken(text string) (kind tokenKind, length int, ok bool) {
	for _, f := range fixedTokens {
		if strings.HasPrefix(text, f.text) {
			return f.kind, len(f.text), true
		}
	}
	return 0, 0, false
}
