package syntax

import "strconv"

// path parses a path. what is the description of what is expected, for errors.
func (p *parser) path(what string) (*Path, bool) {
	t := p.current()
	path := &Path{}
	switch t.kind {
	case tokenVariable:
		path.Var = &Variable{t.Span, p.text(t)[1:]}
		p.next()
	case tokenWord, tokenString:
		if !p.field(path) {
			return nil, false
		}
	default:
		p.unexpected(what)
		return nil, false
	}
	for {
		more, ok := p.segment(path)
		if !ok {
			return nil, false
		}
		if !more {
			path.Span = p.from(t.Start)
			return path, true
		}
	}
}

// segment parses a further segment of a path, if there is one.
func (p *parser) segment(path *Path) (more, ok bool) {
	t := p.current()
	switch t.kind {
	case tokenDot:
		if !p.checkAdjacent() {
			return false, false
		}
		p.next()
		return true, p.afterDot(path)
	case tokenOpenIndex:
		return true, p.checkAdjacent() && p.index(path)
	case tokenVariable:
		if p.touches() {
			p.report(variableInside(t.Span))
			return false, false
		}
	case tokenWord, tokenString:
		if p.touches() {
			p.report(noDot(t.Span))
			return false, false
		}
	}
	return false, true
}

// checkAdjacent reports an error and returns false if there is a space between the parts of a path.
func (p *parser) checkAdjacent() bool {
	if p.touches() {
		return true
	}
	p.report(spaceInPath(Span{p.end(), p.current().Start}))
	return false
}

func (p *parser) afterDot(path *Path) bool {
	t := p.current()
	switch t.kind {
	case tokenWord, tokenString:
		return p.checkAdjacent() && p.field(path)
	case tokenVariable:
		p.report(variableInside(t.Span))
	case tokenStar:
		p.report(bareWildcard(t.Span))
	case tokenOpenIndex:
		p.report(dotBeforeIndex(Span{t.Start - 1, t.Start}))
	default:
		p.unexpected("the name of a field after `.`")
	}
	return false
}

// field parses a name.
func (p *parser) field(path *Path) bool {
	t := p.next()
	name := p.text(t)
	quoted := t.kind == tokenString
	if quoted {
		name = name[1 : len(name)-1]
		if !isQuotedName(name) {
			p.report(badQuotedName(t.Span))
			return false
		}
	}
	path.Segments = append(path.Segments, Segment{Span: t.Span, Kind: Field, Name: name, Quoted: quoted})
	return true
}

// isQuotedName reports whether a quoted segment of a path has only characters of labels and names.
func isQuotedName(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isWord(c) && c != '.' && c != '/' {
			return false
		}
	}
	return name != ""
}

// maxIndex is larger than any array that fits into a cluster.
const maxIndex = 1<<31 - 1

// index parses "[n]" or "[*]".
func (p *parser) index(path *Path) bool {
	open := p.next()
	segment := Segment{Kind: Wildcard}
	t := p.current()
	switch {
	case t.kind == tokenWord && isInteger(p.text(t)):
		n, err := strconv.ParseInt(p.text(t), 10, 64)
		if err != nil || n < 0 || n > maxIndex {
			p.report(indexOutOfRange(t.Span, maxIndex))
			return false
		}
		segment.Kind, segment.Index = Index, int(n)
	case t.kind == tokenStar:
	default:
		p.report(badIndex(t.Span))
		return false
	}
	if !p.checkAdjacent() {
		return false
	}
	p.next()
	if !p.at(tokenCloseIndex) {
		p.unexpected("`]`")
		return false
	}
	if !p.checkAdjacent() {
		return false
	}
	p.next()
	segment.Span = p.from(open.Start)
	path.Segments = append(path.Segments, segment)
	return true
}

// isInteger reports whether a word is a sequence of digits, optionally with a minus.
func isInteger(word string) bool {
	if word != "" && word[0] == '-' {
		word = word[1:]
	}
	return isDigits(word)
}

func isDigits(word string) bool {
	for i := range len(word) {
		if !isDigit(word[i]) {
			return false
		}
	}
	return word != ""
}
