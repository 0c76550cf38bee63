package document

import (
	"strconv"
	"strings"

	"github.com/tinylib/msgp/msgp"
)

// part returns the name of a node in its parent, as in a path of the language.
func (d *Document) part(n Node) string {
	if d.nodes[d.nodes[n].parent].kind == Array {
		return "[" + strconv.Itoa(d.Index(n)) + "]"
	}
	key := string(d.Key(n))
	if key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return key
	}
	return strconv.Quote(key)
}

// markEdited marks a node and its ancestors as edited.
func (d *Document) markEdited(n Node) {
	d.changed = true
	for ; n != None && !d.nodes[n].edited; n = d.nodes[n].parent {
		d.nodes[n].edited = true
	}
}

// Remove removes a node from its map or array. The root cannot be removed.
func (d *Document) Remove(n Node) {
	if n == root || d.nodes[n].removed {
		return
	}
	d.nodes[n].removed = true
	d.nodes[d.nodes[n].parent].count--
	d.markEdited(d.nodes[n].parent)
}

// Set replaces the value of a node by raw, which must be checked msgpack bytes. raw may be a part
// of this document.
func (d *Document) Set(n Node, raw []byte) {
	start := uint32(len(d.buf))
	d.buf = append(d.buf, raw...)
	fresh, end := d.parse(start, None, 0, 0)
	for c := d.nodes[fresh].first; c != None; c = d.nodes[c].next {
		d.nodes[c].parent = n
	}
	old := &d.nodes[n]
	old.kind, old.count, old.first, old.last = d.nodes[fresh].kind, d.nodes[fresh].count, d.nodes[fresh].first, d.nodes[fresh].last
	old.start, old.end, old.edited = start, end, false
	d.changed = true
	if old.parent != None {
		d.markEdited(old.parent)
	}
}

// AddField adds a field to a map that has no field of that name, and returns its node, whose value
// is null. The field is inserted at its position in a canonical manifest.
func (d *Document) AddField(n Node, key string) Node {
	d.buf = msgp.AppendString(d.buf, key)
	keyEnd := uint32(len(d.buf))
	d.buf = append(d.buf, mNil)
	child, _ := d.parse(keyEnd, n, keyEnd-uint32(len(key)), keyEnd)
	after := None
	for c := d.nodes[n].first; c != None && d.before(n, string(d.Key(c)), key); c = d.nodes[c].next {
		after = c
	}
	d.insert(n, after, child)
	return child
}

// Append adds an element to an array, and returns its node, whose value is null.
func (d *Document) Append(n Node) Node {
	start := uint32(len(d.buf))
	d.buf = append(d.buf, mNil)
	child, _ := d.parse(start, n, 0, 0)
	d.insert(n, d.nodes[n].last, child)
	return child
}

func (d *Document) insert(parent, after, child Node) {
	if after == None {
		d.nodes[child].next = d.nodes[parent].first
	} else {
		d.nodes[child].next = d.nodes[after].next
	}
	d.link(parent, after, child)
	if d.nodes[child].next == None {
		d.nodes[parent].last = child
	}
	d.nodes[parent].count++
	d.markEdited(parent)
}

// before reports whether a key precedes another one in a map: in the manifest itself, apiVersion,
// kind and metadata come first.
func (d *Document) before(n Node, a, b string) bool {
	if n == root {
		if ra, rb := Rank(a), Rank(b); ra != rb {
			return ra < rb
		}
	}
	return a < b
}

// Rank returns the sort rank of a key in a manifest: apiVersion, kind and metadata come first; the
// others follow, sorted.
func Rank(key string) int {
	switch key {
	case "apiVersion":
		return 0
	case "kind":
		return 1
	case "metadata":
		return 2
	}
	return 3
}
