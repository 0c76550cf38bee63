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
	ctx      context.Context // of Open, whose cancelling ends reading
	location Location
	backend  backend
}

// Read reads on. It fails with an [*Error] when ctx is cancelled, and when the object breaks off before its end.
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

// Size is the object's length in bytes, or -1 where the server did not tell.
func (r *Reader) Size() int64 { return r.size }

// Close lets go of the object.
func (r *Reader) Close() error {
	err := r.body.Close()
	r.backend.close()
	return explain(r.ctx, "read", r.location, r.backend, err)
}
