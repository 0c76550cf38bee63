package storage

import (
	"context"
	"errors"
	"io"

	"gocloud.dev/blob"
)

// contentType is the content type of objects. Whether they are compressed is left to the reader.
const contentType = "application/octet-stream"

// bucket implements the common parts of S3 and Google.
type bucket struct {
	*blob.Bucket
	partSize int
	prepare  func(asFunc func(any) bool) error // blob.WriterOptions.BeforeWrite; may be nil
}

func (b bucket) open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r, err := b.NewReader(ctx, key, nil)
	if err != nil {
		return nil, 0, err
	}
	return r, r.Size(), nil
}

func (b bucket) upload(ctx context.Context, key string, r io.Reader) error {
	return b.Upload(ctx, key, &stickyReader{r: r}, &blob.WriterOptions{
		ContentType:    contentType,
		BufferSize:     b.partSize,
		MaxConcurrency: maxConcurrentParts,
		BeforeWrite:    b.prepare,
	})
}

func (b bucket) close() { b.Close() }

// stickyReader returns the first error of its reader from then on, and has no other methods than
// Read. Without it, an upload might take the end of a pipe that was closed after a failure for the
// end of the object.
type stickyReader struct {
	r   io.Reader
	err error
}

func (l *stickyReader) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	return n, err
}
