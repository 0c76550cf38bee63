package app

import (
	"context"
	"io"
)

// contextReader reads from a reader whose Read may block, such as the standard input, and returns
// when a context is cancelled. The last read then continues until something arrives or the program
// ends.
type contextReader struct {
	ctx  context.Context
	in   io.Reader
	read chan readResult
	// waiting is set while a read is in progress.
	waiting bool
	// left is what was read and not yet requested.
	left []byte
	err  error
}

type readResult struct {
	data []byte
	err  error
}

// readSize is how much is read at once.
const readSize = 64 << 10

func newPatientReader(ctx context.Context, in io.Reader) *contextReader {
	return &contextReader{ctx: ctx, in: in, read: make(chan readResult, 1)}
}

// Read implements [io.Reader].
func (r *contextReader) Read(b []byte) (int, error) {
	if len(r.left) == 0 && r.err == nil {
		if !r.waiting {
			r.waiting = true
			go func() {
				buf := make([]byte, readSize)
				n, err := r.in.Read(buf)
				r.read <- readResult{buf[:n], err}
			}()
		}
		select {
		case <-r.ctx.Done():
			return 0, context.Cause(r.ctx)
		case result := <-r.read:
			r.waiting = false
			r.left, r.err = result.data, result.err
		}
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	if n == 0 && r.err != nil {
		return 0, r.err
	}
	return n, nil
}
