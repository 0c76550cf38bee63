package log

import (
	"github.com/cockroachdb/pebble/v2"
)

// chunk is a part of the log that retention drops in one batch.
type chunk struct {
	batch *pebble.Batch
	// last has the last versions of the objects, by the prefix of their versions.
	last map[string]*lastVersion
	// bytes is the size of last.
	bytes int
	// entries is the number of entries read so far, at most maxEntries unless their times are equal.
	entries, maxEntries int
	changes             uint64
	// begin is the new beginning of the log, after the chunk.
	begin bounds
}

// lastVersion is the last version of an object in a chunk.
type lastVersion struct {
	seq   Seq
	op    Op
	entry []byte
}

// collect reads the entries before a time, or until the chunk is full. It sets the new beginning.
func (c *chunk) collect(store pebble.Reader, limit int64) (done bool, err error) {
	d := newDecoder()
	var r Record
	var prefix []byte
	last := c.begin.time
	for kv, err := range scan(store, entryKey(c.begin.seq), entrySpace.end()) {
		if err != nil {
			return false, err
		}
		change, err := d.record(kv.value, c.begin.seq, &r)
		if err != nil {
			return false, corrupt("entry %d: %w", c.begin.seq, err)
		}
		if r.Time >= limit {
			break
		}
		if (c.entries >= c.maxEntries || c.bytes >= chunkBytes) && r.Time > last {
			c.begin.time = r.Time
			return false, nil
		}
		if change {
			c.changes++
			prefix = appendVersionPrefix(prefix[:0], r.Key)
			if err := c.add(prefix, &r, kv.value); err != nil {
				return false, err
			}
		}
		last = r.Time
		c.entries++
		c.begin.seq++
	}
	c.begin.time = limit
	return true, nil
}

// add deletes a version, and stores it as the object's last one so far.
func (c *chunk) add(prefix []byte, r *Record, entry []byte) error {
	v := c.last[string(prefix)]
	if v == nil {
		v = &lastVersion{}
		c.last[string(prefix)] = v
		c.bytes += len(prefix)
	}
	c.bytes -= len(v.entry)
	v.seq, v.op, v.entry = r.Seq, r.Op, append(v.entry[:0], entry...)
	c.bytes += len(v.entry)
	return c.batch.Delete(appendNumber(prefix, uint64(r.Seq)), nil)
}

// flatten stores the last version of each object that still exists together with its entry, and
// deletes that of the others.
func (c *chunk) flatten() error {
	var value []byte
	for prefix, v := range c.last {
		key := appendNumber([]byte(prefix), uint64(flattened))
		var err error
		if v.op == Applied {
			value = appendWhole(value[:0], v.seq, v.entry)
			err = c.batch.Set(key, value, nil)
		} else {
			err = c.batch.Delete(key, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
