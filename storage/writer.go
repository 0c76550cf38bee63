package storage

import (
	"bufio"
	"context"
	"errors"
	"io"
)

var errAborted = errors.New("the upload was aborted")

// Writer writes an object. It holds a few parts in memory. The object is not visible before it is
// committed. A Writer is not safe for concurrent use, but Abort may be called at any time.
type Writer struct {
	buffer *bufio.Writer // over pipe
	pipe   *io.PipeWriter
	cancel context.CancelCauseFunc

	done chan struct{} // closed when the upload has ended
	err  error         // the result of the upload, once done is closed
	left error         // the result for Abort, once done is closed
}

func newWriter(ctx context.Context, op string, location Location, b backend) *Writer {
	r, pipe := io.Pipe()
	w := &Writer{
		// Encoders write small pieces, and each would switch goroutines twice.
		buffer: bufio.NewWriterSize(pipe, 64<<10),
		pipe:   pipe,
		done:   make(chan struct{}),
	}
	ctx, w.cancel = context.WithCancelCause(ctx)
	// An upload that waits for the writer must be woken, too. That happens only after ctx is done: an
	// upload whose source fails is then not finished.
	stop := context.AfterFunc(ctx, func() { pipe.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer close(w.done)
		defer b.close()
		defer w.cancel(errAborted)
		defer stop()
		err := b.upload(ctx, location.Key, r)
		w.err = explain(ctx, op, location, b, err)
		var left *cleanupError
		if errors.As(err, &left) {
			w.left = w.err
		}
		r.CloseWithError(io.ErrClosedPipe)
	}()
	return w
}

// Write appends to the object. An error is final: the object cannot be committed any more.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.buffer.Write(p)
	if err != nil {
		return n, w.failure(err)
	}
	return n, nil
}

// Commit makes the object visible, and replaces an existing one. It returns when the storage has
// stored it durably. If it returns an error, the object was not written, unless only the response
// to the last request was lost.
func (w *Writer) Commit() error {
	if err := w.buffer.Flush(); err != nil {
		return w.failure(err)
	}
	w.pipe.Close()
	<-w.done
	return w.err
}

// Abort discards the written data, and waits until the storage has released it. After Commit, or
// when called again, it does nothing. An error means that parts may remain, which are invisible but
// may incur costs.
func (w *Writer) Abort() error {
	w.cancel(errAborted)
	<-w.done
	return w.left
}

// Close calls Abort; it is meant for defer.
func (w *Writer) Close() error { return w.Abort() }

// failure returns the error for data that could not be passed to the upload.
func (w *Writer) failure(err error) error {
	// The pipe fails when the upload has ended, or is about to end.
	<-w.done
	if w.err != nil {
		return w.err
	}
	return err
}
