package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var (
	errShort    = errors.New("ends early")
	errTrailing = errors.New("has trailing data")
)

// decoder decodes what encode.go encodes. After a failed read, all further reads return zero
// values; the error is that of the first one. It caches kinds, so that a reused decoder does not
// allocate strings for them.
type decoder struct {
	rest  []byte
	err   error
	kinds map[string]schema.GroupVersionKind
}

func newDecoder() *decoder { return &decoder{kinds: map[string]schema.GroupVersionKind{}} }

func (d *decoder) reset(b []byte) { d.rest, d.err = b, nil }

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.rest = nil
}

// take returns the next n bytes.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail(errShort)
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) number() uint64 {
	if b := d.take(numberLen); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// uvarint reads an unsigned varint, which must have its shortest form.
func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || (n > 1 && d.rest[n-1] == 0) {
		d.fail(errors.New("malformed number"))
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	if u&1 != 0 {
		return ^int64(u >> 1)
	}
	return int64(u >> 1)
}

// time reads an unsigned varint that is a time in milliseconds.
func (d *decoder) time() int64 { return d.ms(d.uvarint()) }

func (d *decoder) ms(n uint64) int64 {
	if n > math.MaxInt64 {
		d.fail(errors.New("time out of range"))
		return 0
	}
	return int64(n)
}

// bytes reads bytes prefixed with their length, or nil if there are none. The result is part of the
// decoded slice.
func (d *decoder) bytes() []byte {
	b := d.take(d.uvarint())
	if len(b) == 0 {
		return nil
	}
	return b
}

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) tail() []byte {
	b := d.rest
	d.rest = nil
	if len(b) == 0 {
		return nil
	}
	return b
}

// done returns the first error, or errTrailing if not everything was read.
func (d *decoder) done() error {
	if d.err == nil && len(d.rest) > 0 {
		d.err = errTrailing
	}
	return d.err
}

func (d *decoder) kind() schema.GroupVersionKind {
	b := d.bytes()
	if d.err != nil {
		return schema.GroupVersionKind{}
	}
	return d.parseKind(b)
}

func (d *decoder) parseKind(b []byte) schema.GroupVersionKind {
	if gvk, ok := d.kinds[string(b)]; ok {
		return gvk
	}
	gvk, err := trace.ParseGVK(string(b))
	if err == nil && trace.FormatGVK(gvk) != string(b) {
		err = fmt.Errorf("kind %q is not in canonical form", b)
	}
	if err != nil {
		d.fail(err)
		return gvk
	}
	d.kinds[string(b)] = gvk
	return gvk
}

func (d *decoder) key() Key {
	gvk := d.kind()
	return Key{GVK: gvk, Name: d.string()}
}

func (d *decoder) keys() []Key {
	n := d.uvarint()
	if n > uint64(len(d.rest)) { // each takes at least a byte
		d.fail(errShort)
	}
	if d.err != nil || n == 0 {
		return nil
	}
	keys := make([]Key, 0, min(n, 16))
	for range n {
		keys = append(keys, d.key())
		if d.err != nil {
			return nil
		}
	}
	return keys
}

func (d *decoder) uid() string {
	switch form := d.byte(); form {
	case uidPacked:
		b := d.take(uuidLen/2 - 2)
		if b == nil {
			return ""
		}
		return unpackUUID(b)
	case uidText:
		s := d.string()
		if _, ok := packUUID(nil, s); ok {
			d.fail(errors.New("UID is not in canonical form"))
		}
		return s
	default:
		d.fail(fmt.Errorf("unknown UID form %d", form))
		return ""
	}
}

func (d *decoder) op() Op {
	op := Op(d.byte())
	if d.err == nil && (op < Applied || op > Forgotten) {
		d.fail(fmt.Errorf("unknown operation %d", op))
	}
	return op
}

// head reads the head of an entry.
func (d *decoder) head() (entryType, int64) {
	t := entryType(d.byte())
	if d.err == nil && (t < changeEntry || t > gapEntry) {
		d.fail(fmt.Errorf("unknown type %d", t))
	}
	return t, d.ms(d.number())
}

// record reads an entry into r, whose byte slices are then part of entry. change is false if it is
// not the entry of a change.
func (d *decoder) record(entry []byte, seq Seq, r *Record) (change bool, err error) {
	d.reset(entry)
	t, ms := d.head()
	*r = Record{Seq: seq, Time: ms}
	if t == changeEntry {
		d.change(&r.Change)
	}
	return t == changeEntry, d.done()
}

func (d *decoder) change(c *Change) {
	c.Op = d.op()
	c.Key = d.key()
	c.UID = d.uid()
	if c.Op == Applied {
		c.Hash = d.number()
		c.Ancestors = d.keys()
		c.References = d.bytes()
		c.Object = d.tail()
	}
}

// version reads a version. If it is a pointer to its entry, only part of r is set; whole reports
// whether r is complete.
func (d *decoder) version(b []byte, seq Seq, r *Record) (whole bool, err error) {
	d.reset(b)
	switch form := d.byte(); form {
	case versionWhole:
		seq = Seq(d.uvarint())
		if d.err != nil {
			return false, d.err
		}
		change, err := d.record(d.rest, seq, r)
		if err == nil && !change {
			err = errors.New("is not a change")
		}
		return true, err
	case versionPointer:
		*r = Record{Seq: seq}
		r.Op = d.op()
		r.Time = d.time()
		r.UID = d.uid()
		if r.Op == Applied {
			r.Hash = d.number()
		}
		return false, d.done()
	default:
		d.fail(fmt.Errorf("unknown form %d", form))
		return false, d.err
	}
}

// versionOp returns the operation of a version without decoding the rest.
func versionOp(b []byte) Op {
	if len(b) < 2 {
		return 0
	}
	if b[0] == versionPointer {
		return Op(b[1])
	}
	return Applied // only applied objects are stored whole
}

// pod reads a pod and the number of its entry.
func (d *decoder) pod(k, v []byte) (*Pod, Seq, error) {
	created, uid, err := splitTimeKey(k)
	if err != nil {
		return nil, 0, err
	}
	d.reset(v)
	seq := Seq(d.uvarint())
	p := &Pod{UID: string(uid), Created: created}
	p.Namespace = d.string()
	p.Name = d.string()
	p.Hash = d.number()
	tracked := d.byte()
	if tracked > 1 {
		d.fail(fmt.Errorf("tracked is %d", tracked))
	}
	p.Tracked = tracked == 1
	p.Ancestors = d.keys()
	p.Lifecycle.State = trace.LifecycleState(d.byte())
	for _, n := range []*int64{&p.Lifecycle.Start, &p.Lifecycle.End, &p.Scheduled, &p.Started, &p.Deleted} {
		*n = d.varint()
	}
	p.Node = d.string()
	return p, seq, d.done()
}

// node reads a node and the number of its entry.
func (d *decoder) node(k, v []byte) (*Node, Seq, error) {
	from, uid, err := splitTimeKey(k)
	if err != nil {
		return nil, 0, err
	}
	d.reset(v)
	seq := Seq(d.uvarint())
	n := &Node{UID: string(uid), From: from}
	n.Name = d.string()
	n.To = d.varint()
	n.Shape = append([]byte(nil), d.tail()...)
	return n, seq, d.done()
}

func (d *decoder) gap(v []byte) (*Gap, error) {
	d.reset(v)
	g := &Gap{From: d.varint(), To: d.varint()}
	return g, d.done()
}
