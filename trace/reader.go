package trace

import (
	"errors"
	"io"
	"iter"
)

// Reader walks a trace, of either version, from the first byte to the last. It holds one event at a
// time. It is not safe for concurrent use.
type Reader struct{}

// NewReader reads the beginning of a trace, up to its first event. r is read in chunks, and not past
// what a chunk brings; it needs no buffering of its own.
func NewReader(r io.Reader) (*Reader, error) { return nil, errors.ErrUnsupported }

// Version gives the version of the file, 1 or 2.
func (r *Reader) Version() int { return 0 }

// Config gives the configuration of the tracer that made the trace. (In a file that has its config
// after the events, which no known writer makes, it is empty until Tail has been called.)
func (r *Reader) Config() *Config { return &Config{} }

// Next gives the next event, and io.EOF after the last one. The event and its objects are valid until
// the next call of Next or Tail; Clone keeps them. After any other error the Reader gives that error for ever.
func (r *Reader) Next() (*Event, error) { return nil, errors.ErrUnsupported }

// Events gives the events that are left, each valid until the next. An error is the last thing given.
func (r *Reader) Events() iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			e, err := r.Next()
			if err == io.EOF {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Tail gives what stands after the events. Events that have not been read are checked and skipped.
// Only when Tail returns without an error is the trace known to be whole.
func (r *Reader) Tail() (*Tail, error) { return nil, errors.ErrUnsupported }

// File is a Reader over a file.
type File struct{ Reader }

// Open opens a trace file. Errors name the file.
func Open(path string) (*File, error) { return nil, errors.ErrUnsupported }

// Rewind starts again at the first event.
func (f *File) Rewind() error { return errors.ErrUnsupported }

// Size gives the size of the file in bytes.
func (f *File) Size() int64 { return 0 }

// Close closes the file.
func (f *File) Close() error { return errors.ErrUnsupported }
