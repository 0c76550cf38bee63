package server

import (
	"context"
	"errors"
	"fmt"

	"simkube.io/simkube/storage"
)

// NewStorage returns the Storage that a storage client is.
func NewStorage(client *storage.Client) Storage { return buckets{client} }

type buckets struct{ client *storage.Client }

// Create implements Storage. It finds out first whether the bucket is there: an export takes long, to fail at its end.
func (b buckets) Create(ctx context.Context, url string) (Upload, error) {
	location, err := storage.Parse(url)
	if err != nil {
		return nil, err
	}
	if location.String() != url {
		// What was allowed is not what would be written to.
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

// locationError marks the errors that mean that there is no such bucket.
func locationError(err error) error {
	if errors.Is(err, storage.ErrNotExist) {
		return &noLocationError{err}
	}
	return err
}

// noLocationError is an ErrNoLocation with the text of what caused it.
type noLocationError struct{ err error }

func (e *noLocationError) Error() string   { return e.err.Error() }
func (e *noLocationError) Unwrap() []error { return []error{ErrNoLocation, e.err} }
