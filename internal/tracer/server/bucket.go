package server

import (
	"context"
	"errors"
	"fmt"

	"simkube.io/simkube/storage"
)

// NewStorage returns a Storage that uses a storage client.
func NewStorage(client *storage.Client) Storage { return buckets{client} }

type buckets struct{ client *storage.Client }

// Create implements Storage. It first checks whether the bucket exists, so that an export does not
// fail only at its end.
func (b buckets) Create(ctx context.Context, url string) (Upload, error) {
	location, err := storage.Parse(url)
	if err != nil {
		return nil, err
	}
	if location.String() != url {
		// The URL that was checked against the allow list must be the one that is written to.
		return nil, fmt.Errorf("write %s: it reads as %s", url, location)
	}
	if err := b.client.Check(ctx, location); err != nil {
		return nil, locationError(err)
	}
	writer, err := b.client.Create(ctx, location)
	if err != nil {
		return nil, locationError(err)
	}
	return bucketWriter{writer}, nil
}

type bucketWriter struct{ *storage.Writer }

func (w bucketWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	return n, locationError(err)
}

func (w bucketWriter) Commit() error { return locationError(w.Writer.Commit()) }

// locationError marks the errors that mean that the bucket does not exist.
func locationError(err error) error {
	if errors.Is(err, storage.ErrNotExist) {
		return &noLocationError{err}
	}
	return err
}

// noLocationError is an ErrNoLocation with the text of its cause.
type noLocationError struct{ err error }

func (e *noLocationError) Error() string   { return e.err.Error() }
func (e *noLocationError) Unwrap() []error { return []error{ErrNoLocation, e.err} }
