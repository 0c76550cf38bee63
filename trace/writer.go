package trace

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/tinylib/msgp/msgp"
)

// WriterOptions are the options of a Writer. The zero value is useful.
type WriterOptions struct {
	// Events is the number of events that will be written, if it is known: the format stores it before
	// the events. If 0, the events are stored in a temporary file until Finish.
	Events int
	// Expected is a guess of the number of events, used if Events is 0: a file is then written in
	// place, and Finish corrects the header. It has no effect if the trace is not written to a file.
	Expected int
	// Extension announces that the tail will have an extension. It is not needed if Events is 0 or if
	// the trace is written to a file.
	Extension bool
	// SpoolDir is the directory of that temporary file. Default: the directory of the trace, or the
	// system's default if the trace is not written to a file.
	SpoolDir string
}

// Writer writes a trace, version 2, event by event. The output is canonical: the same content
// results in the same bytes. It is not safe for concurrent use.
//
//	w, err := trace.NewWriter(out, config, trace.WriterOptions{})
//	if err != nil { ... }
//	defer w.Close()
//	for ... { if err := w.WriteEvent(&event); err != nil { ... } }
//	return w.Finish(&trace.Tail{Index: index, Lifecycles: lifecycles})
type Writer struct {
	out    *bufio.Writer
	config []byte // the key and the value
	spool  *spool // events, until their number is known
	want   WriterOptions
	events int    // number of events written
	last   int64  // time of the last event
	event  []byte // buffer for encoding one event
	done   bool
	err    error // the error that is returned from now on

	file *os.File // the output, if its header can be corrected later
	// written is the number of bytes written to out, started the number of those for which writeback
	// was started.
	written, started int64
	begun            []byte // the header as it was written
}

// writerBuffer is the size of a Writer's output buffer.
const writerBuffer = 64 << 10

// NewWriter returns a Writer to w, which it buffers and does not close. It does not retain config.
func NewWriter(w io.Writer, config *Config, opts WriterOptions) (*Writer, error) {
	writer := new(Writer)
	if err := writer.start(w, nil, config, opts); err != nil {
		return nil, err
	}
	return writer, nil
}

// start begins a trace. file is out if that is a file, otherwise nil.
func (w *Writer) start(out io.Writer, file *os.File, config *Config, opts WriterOptions) error {
	if opts.Events < 0 {
		return fmt.Errorf("write a trace of %d events: %w", opts.Events, ErrCount)
	}
	encoded, err := appendConfig(msgp.AppendString(nil, keyConfig), config)
	if err != nil {
		return fmt.Errorf("write the config: %w", err)
	}
	*w = Writer{config: encoded, want: opts, file: file, out: bufio.NewWriterSize(out, writerBuffer)}
	if opts.Events == 0 && (file == nil || opts.Expected <= 0) {
		w.spool = &spool{dir: opts.SpoolDir}
		return nil
	}
	w.begun = w.header(cmp.Or(opts.Events, opts.Expected), opts.Extension)
	return w.write(w.begun)
}

// header returns the part of the trace before the events. It begins with the number of keys, which
// depends on extension.
func (w *Writer) header(events int, extension bool) []byte {
	keys := uint32(len(requiredKeys()))
	if extension {
		keys++
	}
	b := msgp.AppendMapHeader(nil, keys)
	b = msgp.AppendUint64(msgp.AppendString(b, keyVersion), Version)
	b = append(b, w.config...)
	return msgp.AppendArrayHeader(msgp.AppendString(b, keyEvents), uint32(events))
}

func (w *Writer) write(b []byte) error {
	if _, err := w.out.Write(b); err != nil {
		w.err = fmt.Errorf("write the trace: %w", err)
	}
	w.written += int64(len(b))
	if w.file != nil && w.written-w.started >= writebackStep {
		// Bytes that are still buffered are part of the next step.
		end := w.written - int64(w.out.Buffered())
		startWriteback(w.file, w.started, end)
		w.started = end
	}
	return w.err
}

// writebackStep is the size of the parts of a file for which writeback is started.
const writebackStep = 8 << 20

// WriteEvent writes an event. It must not be earlier than the previous one. Deleted objects are
// written with only apiVersion, kind, metadata.name and metadata.namespace. e is not retained. If
// it returns an error, the Writer is unchanged.
func (w *Writer) WriteEvent(e *Event) error {
	if err := w.checkOrder(e.Time); err != nil {
		return err
	}
	encoded, err := appendEvent(w.event[:0], e)
	if err != nil {
		return fmt.Errorf("write event %d: %w", w.events, err)
	}
	w.event = encoded
	err = w.put(encoded)
	w.events++
	w.last = e.Time
	return err
}

// checkOrder returns an error if an event of that time cannot be written.
func (w *Writer) checkOrder(time int64) error {
	switch {
	case w.err != nil:
		return w.err
	case w.done:
		return ErrFinished
	case w.events > 0 && time < w.last:
		return fmt.Errorf("write event %d: its time is %d, before %d of the previous event: %w", w.events, time, w.last, ErrOrder)
	case w.want.Events > 0 && w.events == w.want.Events:
		return fmt.Errorf("write event %d: only %d were announced: %w", w.events, w.want.Events, ErrCount)
	case w.events == maxEvents:
		return fmt.Errorf("write event %d: the format has no room for more: %w", w.events, ErrCount)
	}
	return nil
}

// put writes a part of an event to the output or the spool.
func (w *Writer) put(b []byte) error {
	if w.spool == nil {
		return w.write(b)
	}
	if err := w.spool.write(b); err != nil {
		w.err = fmt.Errorf("spool the trace: %w", err)
	}
	return w.err
}

// Events returns the number of events written so far.
func (w *Writer) Events() int { return w.events }

// Finish writes the tail and flushes. It returns ErrCount if the number of events is not the
// announced number.
func (w *Writer) Finish(tail *Tail) error {
	if err := w.checkFinish(tail.Extension != nil); err != nil {
		return err
	}
	if err := checkTail(tail); err != nil {
		return fmt.Errorf("finish the trace: %w", err)
	}
	return w.finish(tail.Extension != nil, func() error { return w.tail(tail) })
}

// checkFinish returns an error if the tail cannot be written now.
func (w *Writer) checkFinish(extension bool) error {
	switch {
	case w.err != nil:
		return w.err
	case w.done:
		return ErrFinished
	case w.want.Events > 0 && w.events != w.want.Events:
		return fmt.Errorf("finish the trace: %d events were announced, %d written: %w", w.want.Events, w.events, ErrCount)
	case w.spool == nil && w.file == nil && w.want.Extension != extension:
		return fmt.Errorf("finish the trace: the tail has an extension: %t, announced: %t: %w", extension, w.want.Extension, ErrCount)
	}
	return nil
}

// finish writes the deferred parts, then the tail.
func (w *Writer) finish(extension bool, tail func() error) error {
	w.done = true
	if err := w.unspool(extension); err != nil {
		return err
	}
	if err := tail(); err != nil {
		w.err = err
		return err
	}
	if err := w.out.Flush(); err != nil {
		w.err = fmt.Errorf("write the trace: %w", err)
		return w.err
	}
	if err := w.rewriteHeader(extension); err != nil {
		w.err = fmt.Errorf("write the trace: %w", err)
	}
	return w.err
}

// rewriteHeader corrects the header, which was written before the number of events was known.
func (w *Writer) rewriteHeader(extension bool) error {
	if w.begun == nil || w.file == nil {
		return nil
	}
	begin := w.header(w.events, extension)
	if bytes.Equal(begin, w.begun) {
		return nil
	}
	if err := moveTail(w.file, int64(len(w.begun)), int64(len(begin))); err != nil {
		return err
	}
	_, err := w.file.WriteAt(begin, 0)
	return err
}

// unspool writes the header and the spooled events.
func (w *Writer) unspool(extension bool) error {
	if w.spool == nil {
		return nil
	}
	if err := w.write(w.header(w.events, extension)); err != nil {
		return err
	}
	if err := w.spool.copyTo(w.out); err != nil {
		w.err = fmt.Errorf("copy the spooled events: %w", err)
	}
	return w.err
}

// Close releases the resources of an unfinished Writer. After Finish it does nothing, so it can
// always be deferred.
func (w *Writer) Close() error {
	w.done = true
	if w.spool == nil {
		return nil
	}
	if err := w.spool.close(); err != nil {
		return fmt.Errorf("remove the spooled events: %w", err)
	}
	return nil
}
