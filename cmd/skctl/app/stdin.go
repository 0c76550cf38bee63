package app

import (
	"context"
	"io"
)

// patientReader reads from what does not end a read before something comes, as the standard input does, and ends it all the same when a context does. The last
// read then goes on until something comes, or the program ends.
type patientReader struct {
	ctx  context.Context
	in   io.Reader
	read chan readResult
	// waiting: a read is under way.
	waiting bool
	// left is what was read and not asked for yet.
	left []byte
	err  error
}

type readResult struct {
	data []byte
	err  error
}

// readSize is how much is read at once.
const readSize = 64 << 10

func newPatientReader(ctx context.Context, in io.Reader) *patientReader {
	return &patientReader{ctx: ctx, in: in, read: make(chan readResult, 1)}
}

// Read implements io.Reader.
func (r *patientReader) Read(b []byte) (int, error) {
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
