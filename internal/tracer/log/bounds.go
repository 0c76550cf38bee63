package log

import (
	"encoding/binary"
)

// bounds is what the log remembers of where it begins, or of where it ends.
type bounds struct {
	// seq is the first number at the beginning, the last at the end.
	seq Seq
	// time is what [Snapshot.Begin] gives, or that of the last entry.
	time int64
	// changes is how many changes there were before, or with the last entry.
	changes uint64
	// alive is up to when the log was known to have everything; only of the end.
	alive int64
}

func (b bounds) encode() []byte {
	buf := binary.AppendUvarint(nil, uint64(b.seq))
	buf = binary.AppendUvarint(buf, uint64(b.time))
	buf = binary.AppendUvarint(buf, b.changes)
	return binary.AppendUvarint(buf, uint64(b.alive))
}

func (d *decoder) bounds(v []byte) (bounds, error) {
	d.reset(v)
	b := bounds{seq: Seq(d.uvarint()), time: d.time(), changes: d.uvarint(), alive: d.time()}
	return b, d.done()
}
