package syntax

import (
	"slices"
	"strings"
)

// Format returns a program in its canonical layout, with its comments. The program must have been
// parsed without diagnostics.
//
// Every command begins on a new line, and takes one line if it fits. Otherwise, each of its
// arguments is put on its own line; if that is not enough, so are the parts of a selector, an array
// or an object. Tokens are not changed, parentheses and numbers included, except that true, false
// and null become lower case. Comments keep their position relative to the tokens before or after
// them. Empty lines between commands are kept, but at most one at a time.
func Format(p *Program) string {
	f := &formatter{pieces: piecesOf(p)}
	var b strings.Builder
	for first := true; ; first = false {
		piece := f.current()
		for i, c := range piece.comments {
			switch {
			case first && i == 0:
			case c.afterBlank:
				b.WriteString("\n\n")
			default:
				b.WriteString("\n")
			}
			b.WriteString(c.text)
		}
		if piece.kind == tokenEnd {
			break
		}
		switch {
		case first && len(piece.comments) == 0:
		case piece.afterBlank:
			b.WriteString("\n\n")
		default:
			b.WriteString("\n")
		}
		f.takeComments()
		b.WriteString(layOut(f.command()))
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// piece is a token, or the tokens of one path or value, with the comments before it.
type piece struct {
	kind tokenKind
	text string
	// it is a path or a value
	leaf     bool
	comments []comment
	// afterBlank is true if there is an empty line before it.
	afterBlank bool
}

type comment struct {
	text string
	// it is the first token on its line
	ownLine    bool
	afterBlank bool
}

// piecesOf splits a program into pieces; the last one is the end of the program.
func piecesOf(p *Program) []piece {
	tokens, comments := lex(p.Source)
	leaves := leavesOf(p)
	var pieces []piece
	end := 0
	lines := func(start int) int { return strings.Count(p.Source[end:start], "\n") }
	for i := 0; i < len(tokens); {
		next := piece{kind: tokens[i].kind, text: p.Source[tokens[i].Start:tokens[i].End]}
		for len(comments) > 0 && comments[0].Start < tokens[i].Start {
			c := comments[0]
			n := lines(c.Start)
			next.comments = append(next.comments, comment{p.Source[c.Start:c.End], n > 0 || end == 0, n > 1})
			end, comments = c.End, comments[1:]
		}
		next.afterBlank = lines(tokens[i].Start) > 1
		end = tokens[i].End
		if len(leaves) > 0 && leaves[0].Start == tokens[i].Start {
			next.leaf, next.text, end = true, leaves[0].text, leaves[0].End
			leaves = leaves[1:]
		}
		pieces = append(pieces, next)
		for i++; i < len(tokens) && tokens[i].Start < end; {
			i++
		}
	}
	return pieces
}

// formatter creates layouts from pieces. It only considers brackets and separators; their meaning
// has been checked before.
type formatter struct {
	pieces []piece
	pos    int
}

func (f *formatter) current() *piece { return &f.pieces[f.pos] }

func (f *formatter) at(kinds ...tokenKind) bool {
	return !f.current().leaf && slices.Contains(kinds, f.current().kind)
}

// takeComments returns the comments before the current piece.
func (f *formatter) takeComments() []layout {
	var l []layout
	for _, c := range f.current().comments {
		l = append(l, layout{kind: layoutComment, text: c.text, ownLine: c.ownLine})
	}
	f.current().comments = nil
	return l
}

// take returns the current piece and the comments before it.
func (f *formatter) take() []layout {
	l := f.takeComments()
	l = append(l, layout{kind: layoutText, text: f.current().text})
	f.pos++
	return l
}

// separator returns the current piece, followed by comments and a place where the line may end.
func (f *formatter) separator(indent int) []layout {
	l := f.take()
	l = append(l, f.takeComments()...)
	return append(l, layout{kind: layoutBreak, text: " ", indent: indent})
}

// operator returns && or ||, like separator.
func (f *formatter) operator() []layout {
	l := f.takeComments()
	l = append(l, layout{kind: layoutText, text: " "})
	return append(l, f.separator(0)...)
}

// command returns a command: name, arguments, semicolon, and the comment after it.
func (f *formatter) command() []layout {
	l := f.take()
	l = append(l, f.takeComments()...)
	l = append(l, f.brackets())
	l = append(l, f.take()...)
	if rest := f.current(); len(rest.comments) > 0 && !rest.comments[0].ownLine {
		l = append(l, layout{kind: layoutComment, text: rest.comments[0].text})
		rest.comments = rest.comments[1:]
	}
	return l
}

// brackets returns the content of brackets, including the brackets.
func (f *formatter) brackets() layout {
	l := f.take()
	if !f.at(tokenClose, tokenCloseIndex, tokenCloseMap) {
		l = append(l, f.takeComments()...)
		l = append(l, layout{kind: layoutBreak, indent: 1})
		l = append(l, f.alternatives(1)...)
		for f.at(tokenComma) {
			l = append(l, f.separator(1)...)
			l = append(l, f.alternatives(1)...)
		}
		l = append(l, f.takeComments()...)
		l = append(l, layout{kind: layoutBreak, closing: true})
	}
	l = append(l, f.take()...)
	return layout{kind: layoutGroup, inner: l}
}

// alternatives returns terms separated by ||, or a single term. indent is the indentation of the
// lines in which it begins.
func (f *formatter) alternatives(indent int) []layout {
	l := f.conjunction()
	if !f.at(tokenOr) {
		return []layout{{kind: layoutGroup, inner: l, indent: indent}}
	}
	// Indent the lines of a conjunction that is one of several alternatives, so that they do not look
	// like further alternatives.
	l = []layout{{kind: layoutGroup, inner: indented(l)}}
	for f.at(tokenOr) {
		l = append(l, f.operator()...)
		l = append(l, layout{kind: layoutGroup, inner: indented(f.conjunction())})
	}
	return []layout{{kind: layoutGroup, inner: l, indent: indent}}
}

// indented moves the lines of a layout to the right, except for the first.
func indented(l []layout) []layout {
	after := false
	for i := range l {
		switch l[i].kind {
		case layoutBreak:
			l[i].indent++
			after = true
		case layoutGroup:
			if after {
				l[i].indent++
			}
		}
	}
	return l
}

// conjunction returns terms separated by &&, or a single term.
func (f *formatter) conjunction() []layout {
	l := f.item()
	for f.at(tokenAnd) {
		l = append(l, f.operator()...)
		l = append(l, f.item()...)
	}
	return l
}

// item returns the tokens between separators: a test, a definition, an assignment, a value, or a
// key and its value.
func (f *formatter) item() []layout {
	l := f.part()
	for tight := f.tight(); !f.at(tokenComma, tokenClose, tokenCloseIndex, tokenCloseMap, tokenAnd, tokenOr, tokenSemicolon, tokenEnd); tight = f.tight() {
		l = append(l, f.takeComments()...)
		if !tight {
			l = append(l, layout{kind: layoutText, text: " "})
		}
		l = append(l, f.part()...)
	}
	return l
}

// tight reports whether there is no space between the previous piece and the current one.
func (f *formatter) tight() bool {
	before := f.pieces[f.pos-1]
	return f.at(tokenColon) || !before.leaf && before.kind == tokenNot
}

// part returns a part of an item: a piece, the content of brackets, or "exists(path)".
func (f *formatter) part() []layout {
	if f.at(tokenOpen, tokenOpenIndex, tokenOpenMap) {
		l := f.takeComments()
		return append(l, f.brackets())
	}
	l := f.take()
	if name := f.pieces[f.pos-1]; !name.leaf && name.kind == tokenWord && name.text == "exists" {
		for range 3 {
			l = append(l, f.take()...)
		}
	}
	return l
}
