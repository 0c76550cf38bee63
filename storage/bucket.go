package storage

import (
	"context"
	"errors"
	"io"

	"gocloud.dev/blob"
)

// contentType is what objects are marked as: whether they are compressed is for who reads them to find out.
const contentType = "application/octet-stream"

// bucket is what S3 and Google have in common.
type bucket struct {
	*blob.Bucket
	partSize int
	prepare  func(asFunc func(any) bool) error // of blob.WriterOptions.BeforeWrite; may be nil
}

func (b bucket) open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r, err := b.NewReader(ctx, key, nil)
	if err != nil {
		return nil, 0, err
	}
	return r, r.Size(), nil
}

func (b bucket) upload(ctx context.Context, key string, r io.Reader) error {
	return b.Upload(ctx, key, &lastWord{r: r}, &blob.WriterOptions{
		ContentType:    contentType,
		BufferSize:     b.partSize,
		MaxConcurrency: uploadsAtOnce,
		BeforeWrite:    b.prepare,
	})
}

func (b bucket) close() { b.Close() }

// lastWord keeps on failing once its reader has failed, and gives no more than a Read: without it, an upload might take
// the end of a pipe that was closed after a failure for the end of the object.
type lastWord struct {
	r   io.Reader
	err error
}

func (l *lastWord) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	return n, err
}
