package document

import "github.com/tinylib/msgp/msgp"

// AppendValue appends the value at a node as msgpack.
func (d *Document) AppendValue(b []byte, n Node) []byte {
	v := &d.nodes[n]
	if !v.edited {
		return append(b, d.buf[v.start:v.end]...)
	}
	if v.kind == Array {
		b = msgp.AppendArrayHeader(b, v.count)
		for c := d.First(n); c != None; c = d.Next(c) {
			b = d.AppendValue(b, c)
		}
		return b
	}
	b = msgp.AppendMapHeader(b, v.count)
	for c := d.First(n); c != None; c = d.Next(c) {
		b = d.AppendValue(d.appendKey(b, c), c)
	}
	return b
}

func (d *Document) appendKey(b []byte, n Node) []byte { return msgp.AppendStringFromBytes(b, d.Key(n)) }

// Section is a range of the written bytes. Both bounds are 0 if the part does not exist.
type Section struct{ Start, End int }

// Sections are the positions of frequently used parts of a manifest: the strings metadata.namespace
// and metadata.name, and the values of metadata.labels and spec.
type Sections struct{ Namespace, Name, Labels, Spec Section }

// AppendManifest appends the root, which must be a map, and returns the positions of some parts.
func (d *Document) AppendManifest(b []byte) ([]byte, Sections) {
	var s Sections
	begin := len(b)
	b = msgp.AppendMapHeader(b, d.nodes[root].count)
	for c := d.First(root); c != None; c = d.Next(c) {
		b = d.appendKey(b, c)
		start := len(b)
		switch key := d.Key(c); {
		case string(key) == "metadata" && d.nodes[c].kind == Map:
			b = d.appendMetadata(b, c, begin, &s)
			continue
		case string(key) == "spec":
			b = d.AppendValue(b, c)
			s.Spec = Section{start - begin, len(b) - begin}
			continue
		}
		b = d.AppendValue(b, c)
	}
	return b, s
}

func (d *Document) appendMetadata(b []byte, n Node, begin int, s *Sections) []byte {
	b = msgp.AppendMapHeader(b, d.nodes[n].count)
	for c := d.First(n); c != None; c = d.Next(c) {
		b = d.appendKey(b, c)
		start := len(b)
		b = d.AppendValue(b, c)
		value := Section{start - begin, len(b) - begin}
		switch string(d.Key(c)) {
		case "labels":
			s.Labels = value
		case "name":
			s.Name = d.textSection(c, value)
		case "namespace":
			s.Namespace = d.textSection(c, value)
		}
	}
	return b
}

// textSection returns the position of the text of a string value.
func (d *Document) textSection(n Node, value Section) Section {
	if d.nodes[n].kind != String {
		return Section{}
	}
	_, size, _ := d.header(d.nodes[n].start)
	return Section{value.End - int(size), value.End}
}
