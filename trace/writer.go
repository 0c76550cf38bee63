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

// WriterOptions are what a Writer can be told beforehand. The zero value is useful.
type WriterOptions struct {
	// Events is how many events will be written, where that is known: the format wants the number in
	// front of them. With 0 the events wait in a temporary file until Finish.
	Events int
	// Expected is how many events there will probably be, where Events is 0: a file is then written in place, and only what stands in front of
	// the events is put right in the end. It says nothing where the trace does not go to a file.
	Expected int
	// Extension announces that the tail will have one. With Events 0, and in a file, it need not be announced.
	Extension bool
	// SpoolDir is where that temporary file goes; empty for the directory of the trace, or the
	// system's default where that is not a file.
	SpoolDir string
}

// Writer writes a trace, version 2, event by event. What it writes is canonical: the same content
// gives the same bytes, whichever way it came. It is not safe for concurrent use.
//
//	w, err := trace.NewWriter(out, config, trace.WriterOptions{})
//	if err != nil { ... }
//	defer w.Close()
//	for ... { if err := w.WriteEvent(&event); err != nil { ... } }
//	return w.Finish(&trace.Tail{Index: index, Lifecycles: lifecycles})
type Writer struct {
	out    *bufio.Writer
	config []byte // the key and the value
	spool  *spool // where events wait whose number is not known
	want   WriterOptions
	events int    // written so far
	last   int64  // time of the last event
	event  []byte // memory for encoding one
	done   bool
	err    error // given for ever after

	file *os.File // what is written to, where that can be put right afterwards
	// written is how many bytes went to out, and started how many of them the system was asked to put on disk.
	written, started int64
	begun            []byte // what was written in front of the events
}

// writerBuffer is how many bytes a Writer collects before it writes.
const writerBuffer = 64 << 10

// NewWriter makes a Writer to w, which it buffers and does not close. Nothing of config is kept.
func NewWriter(w io.Writer, config *Config, opts WriterOptions) (*Writer, error) {
	writer := new(Writer)
	if err := writer.start(w, nil, config, opts); err != nil {
		return nil, err
	}
	return writer, nil
}

// start begins a trace; file is out where that is a file, and may be nil.
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

// header gives what stands in front of the events. extension tells whether there will be one: the number of keys stands first.
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
		// What is still in the buffer comes with the next step.
		end := w.written - int64(w.out.Buffered())
		startWriteback(w.file, w.started, end)
		w.started = end
	}
	return w.err
}

// writebackStep is how much of a file is put on disk at once while it is written.
const writebackStep = 8 << 20

// WriteEvent writes an event, which must not be earlier than the one before. Deleted objects are
// written as apiVersion, kind, and namespace and name in metadata, whatever else they hold. Nothing of
// e is kept. An event that is refused leaves the Writer as it was.
func (w *Writer) WriteEvent(e *Event) error {
	if err := w.admit(e.Time); err != nil {
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

// admit tells whether another event of that time can be written.
func (w *Writer) admit(time int64) error {
	switch {
	case w.err != nil:
		return w.err
	case w.done:
		return ErrFinished
	case w.events > 0 && time < w.last:
		return fmt.Errorf("write event %d: its time is %d, before the %d of the one in front of it: %w", w.events, time, w.last, ErrOrder)
	case w.want.Events > 0 && w.events == w.want.Events:
		return fmt.Errorf("write event %d: only %d were announced: %w", w.events, w.want.Events, ErrCount)
	case w.events == maxEvents:
		return fmt.Errorf("write event %d: the format has no room for more: %w", w.events, ErrCount)
	}
	return nil
}

// put writes a part of an event to where events go.
func (w *Writer) put(b []byte) error {
	if w.spool == nil {
		return w.write(b)
	}
	if err := w.spool.write(b); err != nil {
		w.err = fmt.Errorf("spool the trace: %w", err)
	}
	return w.err
}

// Events gives the number of events written so far.
func (w *Writer) Events() int { return w.events }

// Finish writes the tail and flushes. It fails with ErrCount when not as many events were written as
// were announced.
func (w *Writer) Finish(tail *Tail) error {
	if err := w.finishable(tail.Extension != nil); err != nil {
		return err
	}
	if err := checkTail(tail); err != nil {
		return fmt.Errorf("finish the trace: %w", err)
	}
	return w.finish(tail.Extension != nil, func() error { return w.tail(tail) })
}

// finishable tells whether the tail can be written now.
func (w *Writer) finishable(extension bool) error {
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

// finish writes what had to wait, then the tail.
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
	if err := w.amend(extension); err != nil {
		w.err = fmt.Errorf("write the trace: %w", err)
	}
	return w.err
}

// amend puts right what was written in front of the events before their number was known.
func (w *Writer) amend(extension bool) error {
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

// unspool writes what had to wait for the number of events.
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

// Close gives up what an unfinished Writer holds. After Finish it does nothing of note, so that it can
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
