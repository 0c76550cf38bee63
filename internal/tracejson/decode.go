package tracejson

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/trace"
)

// DecodeOptions are the options of [Decode]. The zero value is useful.
type DecodeOptions struct {
	// SpoolDir is the directory of temporary files, or empty for the system's default.
	SpoolDir string
	// Progress, unless nil, is called with the number of bytes of each read.
	Progress func(n int)
}

// Decoded describes the input of [Decode].
type Decoded struct {
	Events, Objects int
	// ConfigMade and IndexMade report that the input had none, so that it was made from the events.
	ConfigMade, IndexMade bool
	// NoLifecycles reports that the input did not say how long pods ran.
	NoLifecycles bool
}

// Decode reads the JSON of a trace and writes the trace. Errors in the input are an *[Error] or
// wrap [trace.ErrOrder]; a part of the trace may have been written then. An input with a version
// must have the index and the lifecycles, too, since it would otherwise be truncated.
func Decode(ctx context.Context, r io.Reader, w io.Writer, opts DecodeOptions) (_ Decoded, err error) {
	in := bufio.NewReaderSize(&source{ctx: ctx, r: r, progress: opts.Progress}, inputBuffer)
	// Some editors write a byte order mark. An error of the source recurs.
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // which are buffered
	}
	d := decoder{
		scanner: newScanner(in),
		out:     output{w: w, dir: opts.SpoolDir},
		tail:    trace.Tail{},
	}
	defer func() { err = errors.Join(err, d.out.close()) }()
	if err := d.run(); err != nil {
		var source *sourceError
		if errors.As(err, &source) {
			return Decoded{}, source.err
		}
		return Decoded{}, err
	}
	return d.out.decoded, nil
}

const byteOrderMark = "\ufeff"

// inputBuffer is the size of a read.
const inputBuffer = 64 << 10

// source reads until its context ends.
type source struct {
	ctx      context.Context
	r        io.Reader
	progress func(n int)
}

func (s *source) Read(b []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	n, err := s.r.Read(b)
	if s.progress != nil {
		s.progress(n)
	}
	return n, err
}

// decoder reads the objects that describe a trace.
type decoder struct {
	scanner
	out  output
	tail trace.Tail
	// versionAt and extensionAt are the positions of these keys, if the input has them.
	versionAt, extensionAt position
	hasEvents              bool

	event   []byte // the event that is being read
	objects [2][]position
}

// run reads the whole input.
func (d *decoder) run() error {
	empty := true
	for {
		if more, err := d.more(); err != nil {
			return err
		} else if !more {
			break
		}
		c, err := d.peek("a trace")
		if err != nil {
			return err
		}
		if c != '{' {
			return d.want("an object that describes a part of a trace", c)
		}
		if err := d.part(); err != nil {
			return err
		}
		empty = false
	}
	if empty {
		return d.end().fail(ErrForm, "the input is empty; want objects that describe the parts of a trace, such as {\"ts\": 0, \"applied_objs\": []}")
	}
	if d.versionAt != (position{}) {
		missing := ""
		switch {
		case d.tail.Index == nil:
			missing = keyIndex
		case d.tail.Lifecycles == nil:
			missing = keyLifecycles
		}
		if missing != "" {
			return d.end().fail(trace.ErrMissingKey, "the input ends without the key %q: it has been cut off (only what has no %q is taken as events alone)", missing, keyVersion)
		}
	}
	d.out.decoded.NoLifecycles = d.tail.Lifecycles == nil
	if err := d.out.finish(&d.tail); err != nil {
		return d.extensionAt.wrap(err)
	}
	return nil
}

// wrap returns an error in the extension with the position of that.
func (p position) wrap(err error) error {
	var format *trace.FormatError
	if p != (position{}) && errors.As(err, &format) {
		return &Error{Line: p.line, Column: p.column, Path: format.Path, Msg: format.Msg, Err: format.Err}
	}
	return err
}

// part reads one object of the input: an event, or some of the keys of a trace.
func (d *decoder) part() error {
	at := d.here()
	var seen, eventKeys []string
	var failure error // other than the input's syntax
	d.beginEvent()
	err := d.object("an object", func(keyAt position, k []byte) *Error {
		key := string(k)
		if slices.Contains(seen, key) {
			return keyAt.fail(trace.ErrDuplicateKey, "the key %.64q is there twice", key)
		}
		seen = append(seen, key)
		switch {
		case isEventKey(key):
			eventKeys = append(eventKeys, key)
		case !isTraceKey(key):
			return keyAt.fail(ErrForm, "the key is none of %s", acceptedKeys).in(key)
		}
		if len(eventKeys) > 0 && len(eventKeys) < len(seen) {
			return keyAt.fail(ErrForm, "the keys %s and %s do not belong into one object", strings.Join(eventKeys, ", "),
				strings.Join(slices.DeleteFunc(seen, isEventKey), ", "))
		}
		var err *Error
		if isEventKey(key) {
			err = d.eventKey(key)
		} else {
			err = d.traceKey(key, keyAt, &failure)
		}
		if err != nil && !errors.Is(err, errStop) {
			return err.in(key)
		}
		return err
	})
	switch {
	case failure != nil:
		return failure
	case err != nil:
		return err
	case len(eventKeys) > 0:
		return d.endEvent(at, eventKeys, "")
	case len(seen) == 0:
		return at.fail(ErrForm, "the object is empty; want one with some of the keys %s", acceptedKeys)
	}
	return nil
}

const acceptedKeys = keyTime + ", " + keyApplied + ", " + keyDeleted + " (an event), " +
	keyVersion + ", " + keyConfig + ", " + keyEvents + ", " + keyIndex + ", " + keyLifecycles + ", " + keyExtension

// errStop ends the reading of an object. The error is returned separately.
var errStop = errors.New("stop")

// traceKey reads the value of one of a trace's keys.
func (d *decoder) traceKey(key string, at position, failure *error) (err *Error) {
	twice := func() *Error {
		return at.fail(trace.ErrDuplicateKey, "the input has it already")
	}
	switch key {
	case keyVersion:
		if d.versionAt != (position{}) {
			return twice()
		}
		d.versionAt = at
		return d.version()
	case keyConfig:
		if d.out.config != nil {
			return twice()
		}
		d.out.config, err = d.config()
	case keyEvents:
		if d.hasEvents {
			return twice()
		}
		d.hasEvents = true
		return d.array("an array of events", func(i int) *Error {
			if err := d.arrayEvent(i); err != nil {
				var e *Error
				if !errors.As(err, &e) {
					*failure = err
					return &Error{Err: errStop}
				}
				return e
			}
			return nil
		})
	case keyIndex:
		err = d.index()
	case keyLifecycles:
		err = d.lifecycles()
	case keyExtension:
		if d.tail.Extension != nil {
			return twice()
		}
		if _, err := d.peek("an object"); err != nil {
			return err
		}
		d.extensionAt = d.here()
		err = d.extension()
	}
	return err
}

func (d *decoder) version() *Error {
	c, err := d.peek("the version")
	if err != nil {
		return err
	}
	at := d.here()
	if c != '0' {
		return d.want("the version, an integer", c)
	}
	text, _, err := d.number()
	if err == nil && string(text) != fmt.Sprint(trace.Version) {
		err = at.fail(trace.ErrVersion, "version %.64s is not supported; want %d", text, trace.Version)
	}
	return err
}

func (d *decoder) extension() (err *Error) {
	if c, err := d.peek("an object"); err != nil {
		return err
	} else if c != '{' {
		return d.want("an object", c)
	}
	d.tail.Extension, err = d.appendValue([]byte{}, atRoot, 1)
	return err
}

func isEventKey(key string) bool { return key == keyTime || key == keyApplied || key == keyDeleted }

func isTraceKey(key string) bool {
	switch key {
	case keyVersion, keyConfig, keyEvents, keyIndex, keyLifecycles, keyExtension:
		return true
	}
	return false
}

func (d *decoder) beginEvent() {
	d.event = append(d.event[:0], 0x83)
	for i := range d.objects {
		d.objects[i] = d.objects[i][:0]
	}
}

// arrayEvent reads an event that stands in an array.
func (d *decoder) arrayEvent(i int) error {
	if _, err := d.peek("an event"); err != nil {
		return err
	}
	at := d.here()
	var seen []string
	d.beginEvent()
	err := d.object("an event, which is an object", func(keyAt position, k []byte) *Error {
		key := string(k)
		switch {
		case slices.Contains(seen, key):
			return keyAt.fail(trace.ErrDuplicateKey, "the key %.64q is there twice", key)
		case !isEventKey(key):
			return keyAt.fail(ErrForm, "the key is none of %s, %s, %s", keyTime, keyApplied, keyDeleted).in(key)
		}
		seen = append(seen, key)
		if err := d.eventKey(key); err != nil {
			return err.in(key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.endEvent(at, seen, fmt.Sprintf("%s[%d]", keyEvents, i))
}

// eventKey reads the value of one of an event's keys.
func (d *decoder) eventKey(key string) (err *Error) {
	d.event = msgp.AppendString(d.event, key)
	if key == keyTime {
		c, err := d.peek("a time")
		if err != nil {
			return err
		}
		at := d.here()
		if c != '0' {
			return d.want("a time in unix seconds, an integer", c)
		}
		text, isInteger, err := d.number()
		if err != nil {
			return err
		}
		if !isInteger {
			return at.fail(ErrForm, "want a time in unix seconds, an integer, got %.64s", text)
		}
		v, negative, err := parseInteger(text, at)
		d.event = appendInt(d.event, v, negative)
		return err
	}
	which := 0
	if key == keyDeleted {
		which = 1
	}
	head := len(d.event)
	d.event = append(d.event, 0)
	n := 0
	err = d.array("an array of objects", func(int) *Error {
		c, err := d.peek("an object")
		if err != nil {
			return err
		}
		if c != '{' {
			return d.want("a manifest, which is an object", c)
		}
		d.objects[which] = append(d.objects[which], d.here())
		event, err := d.appendValue(d.event, manifest, objectDepth)
		if err == nil {
			d.event = event
			n++
		}
		return err
	})
	d.event = putHeader(d.event, head, n, 0x90, 0xdc)
	return err
}

// objectDepth is how many maps and arrays are around a manifest in a trace.
const objectDepth = 4

// endEvent writes the event that was read. path is its place in the object at the beginning of the
// line.
func (d *decoder) endEvent(at position, keys []string, path string) error {
	if !slices.Contains(keys, keyTime) {
		return at.fail(trace.ErrMissingKey, "the event has no %q", keyTime)
	}
	for _, key := range []string{keyApplied, keyDeleted} {
		if !slices.Contains(keys, key) {
			d.event = append(msgp.AppendString(d.event, key), 0x90)
		}
	}
	event, err := trace.ParseEvent(d.event)
	if err != nil {
		return d.eventError(err, at)
	}
	d.out.wantsIndex = d.tail.Index == nil && d.versionAt == (position{})
	if err := d.out.event(event); err != nil {
		if path != "" {
			path += ": "
		}
		return fmt.Errorf("line %d: %s%w", at.line, path, err)
	}
	return nil
}

// eventError returns an error in an event with its position in the input.
func (d *decoder) eventError(err error, at position) error {
	var format *trace.FormatError
	if !errors.As(err, &format) {
		return err
	}
	for which, key := range []string{keyApplied, keyDeleted} {
		var i int
		if rest, ok := strings.CutPrefix(format.Path, key); ok {
			if _, scanErr := fmt.Sscanf(rest, "[%d]", &i); scanErr == nil && i < len(d.objects[which]) {
				at = d.objects[which][i]
			}
		}
	}
	return &Error{Line: at.line, Column: at.column, Path: format.Path, Msg: format.Msg, Err: format.Err}
}
