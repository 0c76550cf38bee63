package tracejson

import "encoding/base64"

// place is the position of a value in the extension. The hashes in it are written in a form of
// their own.
type place uint8

const (
	elsewhere place = iota
	atRoot          // the extension itself
	atPods          // its pods
	atPod           // one of them
	atHash          // the pod's hash
)

// element returns the place of the elements of an array.
func (at place) element() place {
	if at == atPods {
		return atPod
	}
	return elsewhere
}

// under returns the place of the value of a key.
func (at place) under(key []byte) place {
	switch {
	case at == atRoot && string(key) == keyPods:
		return atPods
	case at == atPod && string(key) == keyHash:
		return atHash
	}
	return elsewhere
}

// appendExtension appends the JSON of the next value of an extension. A value that would be decoded
// to other bytes is written as bytes.
func (p *packed) appendExtension(b []byte, at place) []byte {
	start := p.pos
	t := p.next()
	switch {
	case !t.isSmallest:
	case t.kind == kindInt && at == atHash && !t.negative:
		return appendHash(b, t.bits)
	case t.kind == kindString && at != atHash:
		return appendString(b, t.data)
	case t.kind == kindString:
		// Decode would take it for a hash.
	case t.kind == kindMap:
		p.pos = start
		if !p.hasPlainKeys() {
			break
		}
		p.next()
		return p.appendExtensionMap(b, t.n, at)
	case t.kind == kindArray:
		b = append(b, '[')
		for i := range t.n {
			if i > 0 {
				b = append(b, ',')
			}
			b = p.appendExtension(b, at.element())
		}
		return append(b, ']')
	default:
		return appendScalar(b, t)
	}
	p.pos = start
	p.skip()
	b = append(b, `{"`+keyMsgpack+`":"`...)
	b = base64.StdEncoding.AppendEncode(b, p.src[start:p.pos])
	return append(b, `"}`...)
}

func (p *packed) appendExtensionMap(b []byte, n int, at place) []byte {
	b = append(b, '{')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		key := p.next().data
		b = append(appendString(b, key), ':')
		b = p.appendExtension(b, at.under(key))
	}
	return append(b, '}')
}

// hasPlainKeys reports whether the keys of the next value, a map, can be keys of a JSON object. It
// does not move.
func (p *packed) hasPlainKeys() bool {
	ahead := *p
	for range ahead.next().n {
		key := ahead.next()
		if key.kind != kindString || !key.isSmallest || string(key.data) == keyMsgpack {
			return false
		}
		ahead.skip()
	}
	return true
}
