package storage

import (
	"errors"
	"io/fs"
	"strings"
)

// Sentinel errors. Each is wrapped in an [*Error].
var (
	// ErrNotExist is returned when the object, bucket, container or folder does not exist.
	ErrNotExist = errors.New("does not exist")
	// ErrPermission is returned when credentials are missing, invalid or not authorized.
	ErrPermission = errors.New("permission denied")
	// ErrUnavailable is returned when the provider cannot be reached, closes the connection or reports
	// an internal error. A retry may succeed.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrReadOnly is returned for writes over HTTP.
	ErrReadOnly = errors.New("is read only")
)

// Error describes a failure. Its text holds no secrets: neither credentials nor the queries of
// signed URLs.
type Error struct {
	// Op is the operation: "read", "write", "check".
	Op string
	// Location is the location of the operation.
	Location Location
	// Kind is one of the package's sentinel errors, or nil if none of them applies.
	Kind error
	// Reason says why it failed, as far as the provider reported it.
	Reason string
	// Hint says what to do about it; it may be empty.
	Hint string
	// Err is the cause. Its text may contain secrets.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op + " " + e.Location.String())
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns the kind, the cause, and the equivalent of the kind in io/fs.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if errors.Is(e.Kind, ErrNotExist) {
		errs = append(errs, fs.ErrNotExist)
	}
	if errors.Is(e.Kind, ErrPermission) {
		errs = append(errs, fs.ErrPermission)
	}
	return errs
}
