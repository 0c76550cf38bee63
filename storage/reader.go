package storage

import (
	"context"
	"errors"
	"io"
)

// Reader is an open object. It is not safe for concurrent use, and must be closed.
type Reader struct {
	body     io.ReadCloser
	size     int64
	ctx      context.Context // the context of Open; cancelling it cancels reads
	location Location
	backend  backend
}

// Read implements io.Reader. It returns an [*Error] if ctx is cancelled, or if the object ends
// early.
func (r *Reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, explain(r.ctx, "read", r.location, r.backend, r.ctx.Err())
	}
	n, err := r.body.Read(p)
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return n, err
	}
	return n, explain(r.ctx, "read", r.location, r.backend, err)
}

// Size returns the object's length in bytes, or -1 if the server did not send it.
func (r *Reader) Size() int64 { return r.size }

// Close closes the object.
func (r *Reader) Close() error {
	err := r.body.Close()
	r.backend.close()
	return explain(r.ctx, "read", r.location, r.backend, err)
}
