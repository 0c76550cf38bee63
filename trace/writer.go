package trace

import (
	"errors"
	"io"
)

// WriterOptions are what a Writer can be told beforehand. The zero value is useful.
type WriterOptions struct {
	// Events is how many events will be written, where that is known: the format wants the number in
	// front of them. With 0 the events wait in a temporary file until Finish.
	Events int
	// SpoolDir is where that temporary file goes; empty for the system's default.
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
type Writer struct{}

// NewWriter makes a Writer to w, which it buffers and does not close.
func NewWriter(w io.Writer, config *Config, opts WriterOptions) (*Writer, error) {
	return nil, errors.ErrUnsupported
}

// WriteEvent writes an event, which must not be earlier than the one before. Deleted objects are
// written as apiVersion, kind, and namespace and name in metadata, whatever else they hold.
func (w *Writer) WriteEvent(e *Event) error { return errors.ErrUnsupported }

// Finish writes the tail and flushes. It fails with ErrCount when not as many events were written as announced.
func (w *Writer) Finish(tail *Tail) error { return errors.ErrUnsupported }

// Close gives up what an unfinished Writer holds. After Finish it does nothing, so that it can always be deferred.
func (w *Writer) Close() error { return errors.ErrUnsupported }

// FileWriter is a Writer to a file, which appears under its name only with Finish.
type FileWriter struct{ Writer }

// Create starts a trace file: a temporary file in the same directory, which Finish syncs and renames
// to path, and Close removes.
func Create(path string, config *Config, opts WriterOptions) (*FileWriter, error) {
	return nil, errors.ErrUnsupported
}
