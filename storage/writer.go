package storage

import (
	"bufio"
	"context"
	"errors"
	"io"
)

var errAborted = errors.New("the upload was aborted")

// Writer is an object that is being written; it holds a few parts in memory. Nobody sees it before it is committed. It
// is not safe for concurrent use, but Abort may be called at any time.
type Writer struct {
	buffer *bufio.Writer // over pipe
	pipe   *io.PipeWriter
	cancel context.CancelCauseFunc

	done chan struct{} // closed when the upload has ended
	err  error         // how it ended, when done is closed
	left error         // what Abort says about it, when done is closed
}

func newWriter(ctx context.Context, op string, location Location, b backend) *Writer {
	r, pipe := io.Pipe()
	w := &Writer{
		// Encoders write in small pieces, and each would be a turn of two goroutines.
		buffer: bufio.NewWriterSize(pipe, 64<<10),
		pipe:   pipe,
		done:   make(chan struct{}),
	}
	ctx, w.cancel = context.WithCancelCause(ctx)
	// An upload that waits for the writer has to hear of it too. It hears only now, when ctx is done: an upload whose
	// source fails is not finished by anybody.
	stop := context.AfterFunc(ctx, func() { pipe.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer close(w.done)
		defer b.close()
		defer w.cancel(errAborted)
		defer stop()
		err := b.upload(ctx, location.Key, r)
		w.err = explain(ctx, op, location, b, err)
		var left *leftError
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

// Commit makes the object visible, whole and in the place of one that was there. It returns when the storage has it
// for good. An error means that it is not known to be there; then nothing of it is, unless the very answer to the last
// request was lost.
func (w *Writer) Commit() error {
	if err := w.buffer.Flush(); err != nil {
		return w.failure(err)
	}
	w.pipe.Close()
	<-w.done
	return w.err
}

// Abort drops what was written, and waits until the storage has let go of it. After Commit, or a second time, it does
// nothing. An error means that parts may be left that nobody sees but somebody pays for.
func (w *Writer) Abort() error {
	w.cancel(errAborted)
	<-w.done
	return w.left
}

// Close is Abort, for defer.
func (w *Writer) Close() error { return w.Abort() }

// failure says why a byte could not be handed to the upload.
func (w *Writer) failure(err error) error {
	// The pipe fails when the upload has ended, or is about to.
	<-w.done
	if w.err != nil {
		return w.err
	}
	return err
}
