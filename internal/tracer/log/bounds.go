package log

import (
	"encoding/binary"
)

// bounds is the stored position of the log's beginning, or of its end.
type bounds struct {
	// seq is the first number at the beginning, the last one at the end.
	seq Seq
	// time is the result of [Snapshot.Begin], or the time of the last entry.
	time int64
	// changes is the number of changes before the beginning, or up to the end.
	changes uint64
	// completeUntil is the time until which the log was known to be complete; only at the end.
	completeUntil int64
}

func (b bounds) encode() []byte {
	buf := binary.AppendUvarint(nil, uint64(b.seq))
	buf = binary.AppendUvarint(buf, uint64(b.time))
	buf = binary.AppendUvarint(buf, b.changes)
	return binary.AppendUvarint(buf, uint64(b.completeUntil))
}

func (d *decoder) bounds(v []byte) (bounds, error) {
	d.reset(v)
	b := bounds{seq: Seq(d.uvarint()), time: d.time(), changes: d.uvarint(), completeUntil: d.time()}
	return b, d.done()
}
