package traceconvert

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// record is a change in a recording of kube-scheduler-simulator.
type record struct {
	Time time.Time
	// Event is Add, Update or Delete.
	Event string
	// Resource is the object; for a deleted one, its kind and name.
	Resource json.RawMessage
}

// walkSimulator reads consecutive records, or arrays of records, depending on the version that
// wrote them. Files may have been concatenated.
func walkSimulator(r io.Reader, rec *recording, yield func(*change) error) error {
	w := &simulatorWalk{rec: rec, yield: yield, in: newMarkless(r)}
	w.dec = json.NewDecoder(w.in)
	for {
		token, err := w.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case token == '[':
			if err := w.array(); err != nil {
				return err
			}
		default:
			if err := w.record(); err != nil {
				return err
			}
		}
	}
}

// simulatorWalk is one pass over a recording.
type simulatorWalk struct {
	rec   *recording
	yield func(*change) error
	in    io.Reader
	dec   *json.Decoder
	n     int // the number of the last record
}

// next returns the first character of the next value, or io.EOF.
func (w *simulatorWalk) next() (byte, error) {
	// The decoder's More reports whether there is a value, but not its type, which it has buffered.
	if !w.dec.More() {
		if _, err := w.dec.Token(); err != nil && !errors.Is(err, io.EOF) {
			return 0, w.fail(fmt.Sprintf("after record %d, at byte %d", w.n, w.dec.InputOffset()), err)
		}
		return 0, io.EOF
	}
	buffered := bufio.NewReader(w.dec.Buffered())
	for {
		c, err := buffered.ReadByte()
		if err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, nil //nolint:nilerr // More has buffered the first character of a value
		}
	}
}

func (w *simulatorWalk) fail(where string, err error) error {
	return &Error{Name: w.rec.Name, Where: where, Err: err}
}

// array reads an array of records.
func (w *simulatorWalk) array() error {
	if _, err := w.dec.Token(); err != nil {
		return w.fail("its start", err)
	}
	for w.dec.More() {
		if err := w.record(); err != nil {
			return err
		}
	}
	if _, err := w.dec.Token(); err != nil {
		return w.fail("its end", errors.New("the array of records is not closed"))
	}
	return nil
}

// record reads a record.
func (w *simulatorWalk) record() error {
	w.n++
	where := fmt.Sprintf("record %d", w.n)
	var raw json.RawMessage
	switch err := w.dec.Decode(&raw); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return w.fail(where, errors.New("the file ends in the middle of it"))
	case err != nil:
		return w.fail(fmt.Sprintf("%s, before byte %d", where, w.dec.InputOffset()), err)
	}
	return simulatorRecord(raw, where, w.rec, w.yield)
}

func simulatorRecord(raw json.RawMessage, where string, rec *recording, yield func(*change) error) error {
	fail := func(err error) error { return &Error{Name: rec.Name, Where: where, Err: err} }
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		return fail(fmt.Errorf("invalid record: %w", err))
	}
	c := &change{at: r.Time.UnixMilli(), where: where}
	var err error
	if c.gvk, c.name, c.json, err = rec.identify(r.Resource, where); err != nil {
		return fail(fmt.Errorf("resource: %w", err))
	}
	switch r.Event {
	case "Add":
		c.created = true
	case "Update":
	case "Delete":
		c.json = nil
	default:
		return fail(fmt.Errorf("event %q: want Add, Update or Delete", r.Event))
	}
	if year := r.Time.Year(); year < 1970 || year > 9999 {
		return fail(fmt.Errorf("time %s: must be between the years 1970 and 9999", r.Time.Format(time.RFC3339)))
	}
	return yield(c)
}

// markless reads text without the byte order marks at the beginnings of lines.
type markless struct {
	in *bufio.Reader
	// left is what was read and not yet returned.
	left []byte
	err  error
	// inLine: the next byte does not begin a line.
	inLine bool
}

func newMarkless(r io.Reader) *markless { return &markless{in: bufio.NewReaderSize(r, 64<<10)} }

// Read implements [io.Reader].
func (m *markless) Read(b []byte) (int, error) {
	for len(m.left) == 0 && m.err == nil {
		m.left, m.err = m.in.ReadSlice('\n')
		if errors.Is(m.err, bufio.ErrBufferFull) {
			m.err = nil
		}
		if !m.inLine {
			m.left = bytes.TrimPrefix(m.left, []byte(byteOrderMark))
		}
		m.inLine = !bytes.HasSuffix(m.left, []byte("\n"))
	}
	if len(m.left) == 0 {
		return 0, m.err
	}
	n := copy(b, m.left)
	m.left = m.left[n:]
	return n, nil
}
