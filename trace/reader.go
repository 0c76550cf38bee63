package trace

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// The keys of a trace, in the order in which they are written.
const (
	keyVersion    = "version"
	keyConfig     = "config"
	keyEvents     = "events"
	keyIndex      = "index"
	keyLifecycles = "pod_lifecycles"
	keyExtension  = "x-simkube"
)

// requiredKeys are the keys that every trace of version 2 has.
func requiredKeys() []string {
	return []string{keyVersion, keyConfig, keyEvents, keyIndex, keyLifecycles}
}

// Reader reads a trace of either version. It holds one event at a time. It is not safe for
// concurrent use.
type Reader struct {
	scan   scanner
	events eventScanner

	version int
	config  Config
	tail    *Tail

	compression Format // of the input, if it is compressed

	fields   int             // number of entries of the outermost map or array that have not been read
	seen     map[string]bool // keys of the outermost map that have been read
	total    int             // number of events in the trace
	index    int             // index of the next event
	inEvents bool            // within the events array
	names    *nameKinds      // kinds by name, needed only for version 1
	failure  error           // the error that is returned from now on
}

// NewReader returns a Reader that has read up to the first event. It reads r in chunks; r needs no
// buffering. A trace may be compressed with gzip or zstd; its offsets are those of the decompressed
// data. If r is not a trace, the error is a *NotTraceError.
func NewReader(r io.Reader) (*Reader, error) {
	reader := new(Reader)
	if err := reader.start(r); err != nil {
		return nil, err
	}
	return reader, nil
}

func (r *Reader) start(src io.Reader) error {
	*r = Reader{scan: scanner{input: input{src: src}}, seen: map[string]bool{}}
	r.events.scanner = &r.scan
	return r.keep(r.header())
}

// keep makes the reader return the error from now on.
func (r *Reader) keep(err *FormatError) error {
	if err == nil {
		return nil
	}
	r.failure = err
	var source *sourceError
	switch isSource := errors.As(err, &source); {
	case isSource && r.compression != "":
		r.failure = fmt.Errorf("read the trace at byte %d of its decompressed data: %w", err.Offset, source.err)
	case isSource:
		r.failure = fmt.Errorf("read the trace at byte %d: %w", err.Offset, source.err)
	case r.compression != "":
		r.failure = fmt.Errorf("decompressed %w", err)
	}
	return r.failure
}

// Version returns the version of the file, 1 or 2.
func (r *Reader) Version() int { return r.version }

// Config returns the configuration of the tracer that recorded the trace. (If the config follows
// the events in the file, which no known writer does, it is empty until Tail has been called.)
func (r *Reader) Config() *Config { return &r.config }

// Len returns the number of events in the trace, read and unread. If the file has fewer events than
// it claims, Next fails.
func (r *Reader) Len() int { return r.total }

// Next returns the next event, or io.EOF after the last one. The event and its objects are valid
// until the next call of Next or Tail; use Clone to keep them. After any other error, the Reader
// returns that error from then on.
func (r *Reader) Next() (*Event, error) {
	if r.failure != nil {
		return nil, r.failure
	}
	if !r.inEvents {
		return nil, io.EOF
	}
	r.scan.release()
	if err := r.event(); err != nil {
		return nil, r.keep(err.at(r.index).in(keyEvents))
	}
	if r.index++; r.index == r.total {
		r.inEvents = false
	}
	return &r.events.event, nil
}

func (r *Reader) event() *FormatError {
	if err := r.events.next(); err != nil {
		return err
	}
	if r.names != nil {
		r.names.note(&r.events.event)
	}
	return nil
}

// Offset returns the offset in the input after what was read last. After NewReader and Next, that
// is the start of the next event, if there is one.
func (r *Reader) Offset() int64 { return r.scan.offset(r.scan.pos) }

// Events returns an iterator over the remaining events. Each is valid until the next. The iteration
// ends after an error. The events are in file order, even if the recorder's clock was set back
// between them.
func (r *Reader) Events() iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			e, err := r.Next()
			if errors.Is(err, io.EOF) && r.failure == nil {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Tail returns the part of the trace after the events. It checks and skips events that have not
// been read. Only if Tail returns without an error is the trace known to be complete.
func (r *Reader) Tail() (*Tail, error) {
	for r.inEvents && r.failure == nil {
		_, _ = r.Next() // an error is kept in r.failure
	}
	if r.failure == nil && !r.done() {
		_ = r.keep(r.finish())
	}
	if r.failure != nil {
		return nil, r.failure
	}
	return r.tail, nil
}

func (r *Reader) done() bool { return r.fields < 0 }

// header reads up to the first event.
func (r *Reader) header() *FormatError {
	r.tail = &Tail{}
	c, err := r.scan.peek()
	switch {
	case err != nil && errors.Is(err, ErrTruncated):
		return r.foreign(FormatEmpty)
	case err != nil:
		return err
	case c&0xf0 == mFixArray || c == mArray16 || c == mArray32:
		return r.headerV1()
	case c&0xf0 != mFixMap && c != mMap16 && c != mMap32:
		return r.otherFormat()
	}
	r.version = Version // changed when the key is read
	if r.fields, err = r.scan.mapHeader(); err != nil {
		return err
	}
	for r.fields > 0 && !r.seen[keyEvents] {
		if err := r.field(); err != nil {
			return err
		}
	}
	if !r.seen[keyEvents] {
		return r.missing()
	}
	return nil
}

// otherFormat continues with the data of a compressed trace, or returns the error for an input that
// does not begin like a trace.
func (r *Reader) otherFormat() *FormatError {
	r.scan.fill(4)
	f := DetectFormat(r.scan.buf)
	if f != FormatGzip && f != FormatZstd {
		r.scan.fill(FormatBytes)
		return r.foreign(DetectFormat(r.scan.buf))
	}
	if err := r.plain(f); err != nil {
		return err
	}
	return r.header()
}

// finish reads from the end of the last event to the end of the trace.
func (r *Reader) finish() *FormatError {
	for r.version == Version && r.fields > 0 {
		if err := r.field(); err != nil {
			return err
		}
	}
	if r.version == Version {
		if err := r.missing(); err != nil {
			return err
		}
	} else if err := r.tailV1(); err != nil {
		return err
	}
	if r.scan.fill(1) {
		return r.scan.fail(r.scan.pos, ErrTrailing, "want the end of the trace, got more bytes")
	}
	if !r.scan.truncated() {
		return r.scan.need(1) // the error of the source
	}
	r.fields = -1
	return nil
}

// missing returns an error if a required key is missing.
func (r *Reader) missing() *FormatError {
	for _, key := range requiredKeys() {
		if !r.seen[key] {
			return &FormatError{Msg: fmt.Sprintf("the key %q is missing", key), Err: ErrMissingKey}
		}
	}
	return nil
}

// field reads one entry of the outermost map; of the events only the header.
func (r *Reader) field() *FormatError {
	s := &r.scan
	s.release()
	r.fields--
	start, end, err := s.str("a string as key")
	if err != nil {
		return err
	}
	key := string(s.buf[start:end])
	if r.seen[key] {
		return s.fail(start, ErrDuplicateKey, "duplicate key %.64q", key)
	}
	r.seen[key] = true
	if err := r.value(key); err != nil {
		return err.in(key)
	}
	return nil
}

func (r *Reader) value(key string) (err *FormatError) {
	s := &r.scan
	switch key {
	case keyVersion:
		pos := s.pos
		var v uint64
		if v, _, err = s.number(); err == nil && v != Version {
			err = s.fail(pos, ErrVersion, "version %d is not supported: must be 2", int64(v))
		}
	case keyConfig:
		r.config, err = s.config()
	case keyEvents:
		r.total, err = s.arrayHeader()
		r.inEvents = r.total > 0
	case keyIndex:
		r.tail.Index, err = s.index()
	case keyLifecycles:
		r.tail.Lifecycles, err = s.lifecycles()
	case keyExtension:
		r.tail.Extension, err = s.extension()
	default:
		err = s.skipAny(1)
	}
	return err
}

// extension checks the value of x-simkube and copies its bytes.
func (s *scanner) extension() ([]byte, *FormatError) {
	c, err := s.peek()
	if err != nil {
		return nil, err
	}
	if c&0xf0 != mFixMap && c != mMap16 && c != mMap32 {
		return nil, s.want("a map", s.pos)
	}
	start := s.pos
	if err := s.skipAny(1); err != nil {
		return nil, err
	}
	return slices.Clone(s.buf[start:s.pos]), nil
}
