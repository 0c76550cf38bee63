package storage

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
)

// backend is one bucket or container of one kind of storage. Its methods return errors unchanged;
// explain interprets them.
type backend interface {
	// open returns the object's bytes and their number, -1 if it is not known.
	open(ctx context.Context, key string) (io.ReadCloser, int64, error)
	// upload creates an object with everything that r returns. The object exists when upload returns
	// nil, not before, and only if r ended with io.EOF; otherwise nothing remains. If r fails, ctx has
	// been cancelled before.
	upload(ctx context.Context, key string, r io.Reader) error
	// check returns an error if upload would fail.
	check(ctx context.Context, key string) error
	// explain returns the meaning of an error, or a zero finding if the backend does not know it.
	explain(err error) finding
	close()
}

// finding describes a failure.
type finding struct {
	kind   error
	reason string
	hint   string
}

// backend returns the backend of a location. The backend may be nil if there is an error.
func (c *Client) backend(ctx context.Context, op string, location Location) (backend, error) {
	if location.ReadOnly() && op != "read" {
		return nil, ErrReadOnly
	}
	switch location.Scheme {
	case SchemeFile:
		return localFile{}, nil
	case SchemeS3:
		return openS3(ctx, c.options, location)
	case SchemeGoogle:
		return openGoogle(ctx, c.options, location)
	case SchemeAzure:
		return openAzure(c.options, location)
	case SchemeHTTP, SchemeHTTPS:
		return httpObject{transport: c.options.Transport, address: location.Address()}, nil
	default:
		return nil, &setupError{reason: "the location is empty", hint: "use Parse to create a location"}
	}
}

// setupError is an error in the settings, found before any request.
type setupError struct {
	reason, hint string
	err          error
}

func (e *setupError) Error() string { return e.reason }
func (e *setupError) Unwrap() error { return e.err }

// credentialsError is a failure to get credentials.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "get credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// cleanupError is joined to a failure if the uploaded parts could not be removed.
type cleanupError struct{ err error }

func (e *cleanupError) Error() string { return "remove the parts: " + e.err.Error() }
func (e *cleanupError) Unwrap() error { return e.err }

// explain converts an error of a backend to an *Error. b may be nil.
func explain(ctx context.Context, op string, location Location, b backend, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, Location: location, Err: err}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		e.Reason, e.Err = "it was cancelled", cause
		if errors.Is(cause, context.DeadlineExceeded) {
			e.Reason = "it timed out"
		}
	} else {
		found := find(b, err)
		e.Kind, e.Reason, e.Hint = found.kind, found.reason, found.hint
	}
	var left *cleanupError
	if errors.As(err, &left) {
		e.Reason += ", and the parts that had been uploaded could not be removed"
		e.Hint = join(e.Hint, "a lifecycle rule for unfinished uploads removes them")
		e.Err = errors.Join(e.Err, left)
	}
	return e
}

func join(hint, more string) string {
	if hint == "" {
		return more
	}
	return hint + "; " + more
}

func find(b backend, err error) finding {
	if errors.Is(err, ErrReadOnly) {
		return finding{ErrReadOnly, "objects over HTTP are read-only", "write to a bucket or a file"}
	}
	var setup *setupError
	if errors.As(err, &setup) {
		return finding{ErrPermission, setup.reason, setup.hint}
	}
	if b != nil {
		if found := b.explain(err); found != (finding{}) {
			return found
		}
	}
	return explainNetwork(err)
}

// explainNetwork handles the failures that all network backends have in common.
func explainNetwork(err error) finding {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		reason := "the host " + dns.Name + " could not be resolved"
		if dns.IsNotFound {
			reason = "unknown host " + dns.Name
		}
		return finding{ErrUnavailable, reason, "check the name of the account or the endpoint, and the network"}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		if op.Op == "dial" && op.Addr != nil {
			return finding{ErrUnavailable, op.Addr.String() + " could not be reached: " + op.Err.Error(), "check the endpoint and the network"}
		}
		return finding{ErrUnavailable, "the connection was closed: " + op.Err.Error(), "try again"}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return finding{ErrUnavailable, "the connection was closed", "try again"}
	}
	// The URL of a request may be signed, so only the error is included.
	var request *url.Error
	if errors.As(err, &request) {
		return finding{ErrUnavailable, "the request failed: " + request.Err.Error(), "check the endpoint and the network"}
	}
	return finding{reason: err.Error()}
}
