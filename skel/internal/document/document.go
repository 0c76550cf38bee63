// Package document implements a manifest that can be read and edited without decoding it: its
// msgpack bytes, and nodes with the positions of the values in them. An edit relinks nodes. Writing
// the document copies the unchanged parts as bytes.
package document

import (
	"encoding/binary"
	"math"
)

// Document is one manifest. It is reusable: Reset replaces the manifest and keeps the memory. It is
// not safe for concurrent use, except that several goroutines may read a document that is not
// edited.
type Document struct {
	// buf holds the manifest, followed by what edits added.
	buf   []byte
	nodes []node
	// source is the number of bytes of buf that are the manifest.
	source  int
	changed bool
}

// Node identifies a value in a document. It is valid until the next Reset.
type Node int32

// None is not a node.
const None Node = -1

// root is the whole manifest.
const root Node = 0

// Kind is the type of a value.
type Kind uint8

// The types of values. Binary data is treated as its base64 text.
const (
	Null Kind = iota
	Bool
	Int
	Uint // an integer beyond int64
	Float
	String
	Binary
	Array
	Map
)

// node is one value. The children of a node form a linked list.
type node struct {
	kind Kind
	// removed: the node is no longer in the document.
	removed bool
	// edited: the bytes at start are no longer the value of the node.
	edited bool
	// count is the number of children of a map or an array.
	count                     uint32
	parent, first, last, next Node
	// keyStart and keyEnd delimit the text of the key, if the node is in a map; start and end delimit
	// the value with its header.
	keyStart, keyEnd, start, end uint32
}

// Reset replaces the manifest by raw: msgpack bytes that package trace has checked. raw is not
// retained.
func (d *Document) Reset(raw []byte) {
	d.buf = append(d.buf[:0], raw...)
	d.source = len(raw)
	d.nodes = d.nodes[:0]
	d.changed = false
	d.parse(0, None, 0, 0)
}

// New returns a document of any value, not only a manifest.
func New(raw []byte) *Document {
	d := new(Document)
	d.Reset(raw)
	return d
}

// Root returns the root node.
func (d *Document) Root() Node { return root }

// Changed reports whether the document was edited since Reset, even if the edit had no effect.
func (d *Document) Changed() bool { return d.changed }

// Size returns the number of bytes that the document occupies in memory.
func (d *Document) Size() int { return len(d.buf) }

// parse creates the nodes of the value at pos and returns where it ends.
func (d *Document) parse(pos uint32, parent Node, keyStart, keyEnd uint32) (Node, uint32) {
	at := Node(len(d.nodes))
	d.nodes = append(d.nodes, node{parent: parent, first: None, last: None, next: None, keyStart: keyStart, keyEnd: keyEnd, start: pos})
	kind, n, pos := d.header(pos)
	switch kind {
	case Map:
		last := None
		for range n {
			_, size, text := d.header(pos)
			child, end := d.parse(text+size, at, text, text+size)
			d.link(at, last, child)
			last, pos = child, end
		}
		d.nodes[at].last, d.nodes[at].count = last, n
	case Array:
		last := None
		for range n {
			child, end := d.parse(pos, at, 0, 0)
			d.link(at, last, child)
			last, pos = child, end
		}
		d.nodes[at].last, d.nodes[at].count = last, n
	default:
		pos += n
	}
	d.nodes[at].kind, d.nodes[at].end = kind, pos
	return at, pos
}

// link inserts a child after another one, or first.
func (d *Document) link(parent, after, child Node) {
	if after == None {
		d.nodes[parent].first = child
	} else {
		d.nodes[after].next = child
	}
}

// The first bytes of msgpack values, as defined by its specification.
const (
	mFixMap   = 0x80
	mFixArray = 0x90
	mFixStr   = 0xa0
	mNil      = 0xc0
	mFalse    = 0xc2
	mTrue     = 0xc3
	mBin8     = 0xc4
	mBin16    = 0xc5
	mBin32    = 0xc6
	mFloat32  = 0xca
	mFloat64  = 0xcb
	mUint8    = 0xcc
	mUint16   = 0xcd
	mUint32   = 0xce
	mUint64   = 0xcf
	mInt8     = 0xd0
	mInt16    = 0xd1
	mInt32    = 0xd2
	mInt64    = 0xd3
	mStr8     = 0xd9
	mStr16    = 0xda
	mStr32    = 0xdb
	mArray16  = 0xdc
	mArray32  = 0xdd
	mMap16    = 0xde
	mMap32    = 0xdf
	mNegFix   = 0xe0
)

// header reads the header of a value: its kind, the number of bytes of a scalar or of children of a
// map or array, and where they begin.
func (d *Document) header(pos uint32) (kind Kind, n, body uint32) {
	c := d.buf[pos]
	pos++
	switch {
	case c < mFixMap || c >= mNegFix:
		return Int, 0, pos
	case c < mFixArray:
		return Map, uint32(c & 0x0f), pos
	case c < mFixStr:
		return Array, uint32(c & 0x0f), pos
	case c < mNil:
		return String, uint32(c & 0x1f), pos
	}
	switch c {
	case mFalse, mTrue:
		return Bool, 0, pos
	case mUint8, mInt8:
		return Int, 1, pos
	case mUint16, mInt16:
		return Int, 2, pos
	case mUint32, mInt32:
		return Int, 4, pos
	case mInt64:
		return Int, 8, pos
	case mUint64:
		if d.buf[pos] >= 0x80 {
			return Uint, 8, pos
		}
		return Int, 8, pos
	case mFloat32:
		return Float, 4, pos
	case mFloat64:
		return Float, 8, pos
	case mStr8:
		return String, uint32(d.buf[pos]), pos + 1
	case mStr16:
		return String, uint32(binary.BigEndian.Uint16(d.buf[pos:])), pos + 2
	case mStr32:
		return String, binary.BigEndian.Uint32(d.buf[pos:]), pos + 4
	case mBin8:
		return Binary, uint32(d.buf[pos]), pos + 1
	case mBin16:
		return Binary, uint32(binary.BigEndian.Uint16(d.buf[pos:])), pos + 2
	case mBin32:
		return Binary, binary.BigEndian.Uint32(d.buf[pos:]), pos + 4
	case mArray16:
		return Array, uint32(binary.BigEndian.Uint16(d.buf[pos:])), pos + 2
	case mArray32:
		return Array, binary.BigEndian.Uint32(d.buf[pos:]), pos + 4
	case mMap16:
		return Map, uint32(binary.BigEndian.Uint16(d.buf[pos:])), pos + 2
	case mMap32:
		return Map, binary.BigEndian.Uint32(d.buf[pos:]), pos + 4
	}
	return Null, 0, pos
}

// integer reads the integer at pos.
func (d *Document) integer(pos uint32) int64 {
	c, b := d.buf[pos], d.buf[pos+1:]
	switch c {
	case mUint8:
		return int64(b[0])
	case mUint16:
		return int64(binary.BigEndian.Uint16(b))
	case mUint32:
		return int64(binary.BigEndian.Uint32(b))
	case mUint64, mInt64:
		return int64(binary.BigEndian.Uint64(b))
	case mInt8:
		return int64(int8(b[0]))
	case mInt16:
		return int64(int16(binary.BigEndian.Uint16(b)))
	case mInt32:
		return int64(int32(binary.BigEndian.Uint32(b)))
	}
	return int64(int8(c))
}

// float reads the float at pos.
func (d *Document) float(pos uint32) float64 {
	if d.buf[pos] == mFloat32 {
		return float64(math.Float32frombits(binary.BigEndian.Uint32(d.buf[pos+1:])))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(d.buf[pos+1:]))
}
