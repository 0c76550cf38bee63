package log

import (
	"github.com/cockroachdb/pebble/v2"
)

// chunk is what moving the beginning has found so far.
type chunk struct {
	batch *pebble.Batch
	// last has what is kept of the objects, by the prefix of their versions.
	last map[string]*lastVersion
	// bytes are those of last.
	bytes int
	// entries are those gone through, of which most are enough.
	entries, most int
	changes       uint64
	// begin is where the log begins behind the chunk.
	begin bounds
}

// lastVersion is an object's last version in a chunk.
type lastVersion struct {
	seq   Seq
	op    Op
	entry []byte
}

// collect goes through the entries until a time, or until there are enough. It sets where the log begins behind them.
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
		if (c.entries >= c.most || c.bytes >= chunkBytes) && r.Time > last {
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

// add takes a version away, and remembers it in case it is the last.
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

// flatten keeps the last version of each object that exists with all of it, and forgets the others.
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
