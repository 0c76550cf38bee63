package traceconvert

import (
	"bufio"
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

// walkSimulator reads consecutive records, or an array of records, depending on the version that
// wrote them.
func walkSimulator(r io.Reader, opts *Options, yield func(*change) error) error {
	in := bufio.NewReader(r)
	array, err := startsArray(in)
	if err != nil {
		return fmt.Errorf("read %s: %w", opts.Name, err)
	}
	dec := json.NewDecoder(in)
	if array {
		if _, err := dec.Token(); err != nil {
			return fmt.Errorf("read %s: %w", opts.Name, err)
		}
	}
	for n := 1; !array || dec.More(); n++ {
		where := fmt.Sprintf("record %d", n)
		var raw json.RawMessage
		switch err := dec.Decode(&raw); {
		case errors.Is(err, io.EOF) && !array:
			return nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return &Error{Name: opts.Name, Where: where, Err: errors.New("the file ends in the middle of it")}
		case err != nil:
			return &Error{Name: opts.Name, Where: fmt.Sprintf("%s, before byte %d", where, dec.InputOffset()), Err: err}
		}
		if err := simulatorRecord(raw, where, opts, yield); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return &Error{Name: opts.Name, Where: "its end", Err: errors.New("the array of records is not closed")}
	}
	return nil
}

// startsArray reports whether the first character other than white space begins an array.
func startsArray(in *bufio.Reader) (bool, error) {
	for {
		c, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case c == ' ', c == '\t', c == '\n', c == '\r':
			continue
		}
		return c == '[', in.UnreadByte()
	}
}

func simulatorRecord(raw json.RawMessage, where string, opts *Options, yield func(*change) error) error {
	fail := func(err error) error { return &Error{Name: opts.Name, Where: where, Err: err} }
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		return fail(fmt.Errorf("invalid record: %w", err))
	}
	c := &change{at: r.Time.UnixMilli(), json: r.Resource, where: where}
	var err error
	if c.gvk, c.name, err = identify(r.Resource); err != nil {
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
