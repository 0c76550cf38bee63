package document

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
)

// Kind returns the type of the value of a node.
func (d *Document) Kind(n Node) Kind { return d.nodes[n].kind }

// Len returns the number of a map's fields or an array's elements.
func (d *Document) Len(n Node) int { return int(d.nodes[n].count) }

// First returns the first child of a map or an array, or None.
func (d *Document) First(n Node) Node { return d.live(d.nodes[n].first) }

// Next returns the next sibling of a node, or None.
func (d *Document) Next(n Node) Node { return d.live(d.nodes[n].next) }

func (d *Document) live(n Node) Node {
	for n != None && d.nodes[n].removed {
		n = d.nodes[n].next
	}
	return n
}

// Key returns the key of a node in a map. The bytes are valid until the next edit.
func (d *Document) Key(n Node) []byte { return d.buf[d.nodes[n].keyStart:d.nodes[n].keyEnd] }

// Field returns the value of a map's key. It returns None if the key does not exist or n is not a
// map.
func (d *Document) Field(n Node, key string) Node {
	if d.nodes[n].kind != Map {
		return None
	}
	for c := d.nodes[n].first; c != None; {
		child := &d.nodes[c]
		if int(child.keyEnd-child.keyStart) == len(key) && string(d.buf[child.keyStart:child.keyEnd]) == key && !child.removed {
			return c
		}
		c = child.next
	}
	return None
}

// Element returns an array's element. It returns None if the element does not exist or n is not an
// array.
func (d *Document) Element(n Node, i int) Node {
	if d.nodes[n].kind != Array || i >= int(d.nodes[n].count) {
		return None
	}
	c := d.First(n)
	for ; i > 0; i-- {
		c = d.Next(c)
	}
	return c
}

// Index returns the index of an element in its array.
func (d *Document) Index(n Node) int {
	i := 0
	for c := d.First(d.nodes[n].parent); c != n && c != None; c = d.Next(c) {
		i++
	}
	return i
}

// Int returns the value of an Int.
func (d *Document) Int(n Node) int64 { return d.integer(d.nodes[n].start) }

// Bool returns the value of a Bool.
func (d *Document) Bool(n Node) bool { return d.buf[d.nodes[n].start] == mTrue }

// Text returns the text of a String or of Binary. The bytes are valid until the next edit.
func (d *Document) Text(n Node) []byte {
	kind, size, body := d.header(d.nodes[n].start)
	text := d.buf[body : body+size]
	if kind == Binary {
		return base64.StdEncoding.AppendEncode(nil, text)
	}
	return text
}

// isText reports whether a kind has a Text.
func isText(k Kind) bool { return k == String || k == Binary }

// IsNumber reports whether a kind is a number.
func IsNumber(k Kind) bool { return k == Int || k == Uint || k == Float }

// IsText reports whether a node has a Text.
func (d *Document) IsText(n Node) bool { return isText(d.nodes[n].kind) }

// CompareNumbers compares two numbers by value, regardless of their kinds, and returns -1, 0 or 1.
func CompareNumbers(a *Document, an Node, b *Document, bn Node) int {
	ak, bk := a.Kind(an), b.Kind(bn)
	switch {
	case ak == Float && bk == Float:
		return order(a.float(a.nodes[an].start), b.float(b.nodes[bn].start))
	case ak == Float:
		return -compareWithFloat(b, bn, a.float(a.nodes[an].start))
	case bk == Float:
		return compareWithFloat(a, an, b.float(b.nodes[bn].start))
	case ak == Uint || bk == Uint:
		if ak != bk {
			if ak == Uint {
				return 1
			}
			return -1
		}
		return order(uint64(a.Int(an)), uint64(b.Int(bn)))
	}
	return order(a.Int(an), b.Int(bn))
}

func order[T int64 | uint64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// compareWithFloat compares an integer with a float exactly: not every 64-bit integer can be
// represented as a float.
func compareWithFloat(d *Document, n Node, f float64) int {
	if d.Kind(n) == Uint {
		u := uint64(d.Int(n))
		switch {
		case f >= math.MaxUint64: // the constant is 2^64 as a float
			return -1
		case f < 0:
			return 1
		}
		if c := order(u, uint64(f)); c != 0 {
			return c
		}
		return order(0, f-math.Trunc(f))
	}
	i := d.Int(n)
	switch {
	case f >= math.MaxInt64: // 2^63 as a float
		return -1
	case f < math.MinInt64:
		return 1
	}
	if c := order(i, int64(f)); c != 0 {
		return c
	}
	return order(0, f-math.Trunc(f))
}

// Equal reports whether two values are equal: numbers by value, maps regardless of the order of
// their keys.
func Equal(a *Document, an Node, b *Document, bn Node) bool {
	ak, bk := a.nodes[an].kind, b.nodes[bn].kind
	switch {
	case isText(ak) && isText(bk):
		return string(a.Text(an)) == string(b.Text(bn))
	case IsNumber(ak) && IsNumber(bk):
		return CompareNumbers(a, an, b, bn) == 0
	case ak != bk || a.nodes[an].count != b.nodes[bn].count:
		return false
	}
	switch ak {
	case Bool:
		return a.Bool(an) == b.Bool(bn)
	case Array:
		x, y := a.First(an), b.First(bn)
		for x != None && y != None {
			if !Equal(a, x, b, y) {
				return false
			}
			x, y = a.Next(x), b.Next(y)
		}
		return true
	case Map:
		for x := a.First(an); x != None; x = a.Next(x) {
			y := b.Field(bn, string(a.Key(x)))
			if y == None || !Equal(a, x, b, y) {
				return false
			}
		}
		return true
	}
	return true // null
}

// Path returns the path of a node in readable form: "spec.containers[0].name".
func (d *Document) Path(n Node) string {
	var parts []string
	for ; d.nodes[n].parent != None; n = d.nodes[n].parent {
		parts = append(parts, d.part(n))
	}
	slices.Reverse(parts)
	text := ""
	for i, part := range parts {
		if i > 0 && part[0] != '[' {
			text += "."
		}
		text += part
	}
	return text
}

// Number returns the text of a number.
func (d *Document) Number(n Node) string {
	switch d.nodes[n].kind {
	case Uint:
		return strconv.FormatUint(uint64(d.Int(n)), 10)
	case Float:
		return strconv.FormatFloat(d.float(d.nodes[n].start), 'g', -1, 64)
	}
	return strconv.FormatInt(d.Int(n), 10)
}

// Is reports whether the value of a node is unedited and encoded as raw.
func (d *Document) Is(n Node, raw []byte) bool {
	v := &d.nodes[n]
	return !v.edited && string(d.buf[v.start:v.end]) == string(raw)
}
