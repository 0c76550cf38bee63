package skel

import "encoding/binary"

// drops are the events that lost objects, in order, and which of their objects are left. There may
// be as many as there are events, so each is encoded in a few bytes: the distance to the previous
// event, the number of objects it had, and a bit for each object, which is set if the object is
// left.
type drops struct {
	bytes []byte
	last  int
}

func (d *drops) add(event int, kept []bool) {
	d.bytes = binary.AppendUvarint(d.bytes, uint64(event-d.last))
	d.bytes = binary.AppendUvarint(d.bytes, uint64(len(kept)))
	d.last = event
	bits := len(d.bytes)
	d.bytes = append(d.bytes, make([]byte, (len(kept)+7)/8)...)
	for i, there := range kept {
		if there {
			d.bytes[bits+i/8] |= 1 << (i % 8)
		}
	}
}

// dropsReader iterates over drops.
type dropsReader struct {
	bytes []byte
	// event is the next event; -1 at the end.
	event int
	// objects is the number of objects that it had.
	objects int
}

func (d *drops) read() *dropsReader {
	r := &dropsReader{bytes: d.bytes}
	r.head()
	return r
}

// head reads up to the bits of the next event.
func (r *dropsReader) head() {
	if len(r.bytes) == 0 {
		r.event = -1
		return
	}
	r.event += int(r.number())
	r.objects = int(r.number())
}

func (r *dropsReader) number() uint64 {
	n, size := binary.Uvarint(r.bytes)
	r.bytes = r.bytes[size:]
	return n
}

// kept reports whether an object of the event is left.
func (r *dropsReader) kept(i int) bool { return r.bytes[i/8]&(1<<(i%8)) != 0 }

// next moves to the next event.
func (r *dropsReader) next() {
	r.bytes = r.bytes[(r.objects+7)/8:]
	r.head()
}
