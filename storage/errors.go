package storage

import (
	"errors"
	"io/fs"
	"strings"
)

// What callers decide on. Each is wrapped in an [*Error].
var (
	// ErrNotExist is returned when there is no such object, bucket, container or folder.
	ErrNotExist = errors.New("does not exist")
	// ErrPermission is returned when there are no credentials, when they are wrong, and when they do not permit it.
	ErrPermission = errors.New("permission denied")
	// ErrUnavailable is returned when the provider cannot be reached, breaks off or reports a failure of its own; the
	// same may work later.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrReadOnly is returned when something is to be written behind HTTP.
	ErrReadOnly = errors.New("is read only")
)

// Error says what failed. Its text holds no secrets: neither credentials nor the queries of signed URLs.
type Error struct {
	// Op is what was tried: "read", "write", "check".
	Op string
	// Location is what it was tried on.
	Location Location
	// Kind is one of the package's sentinels, or nil where the failure is none of those.
	Kind error
	// Reason says why it failed, as far as the provider told.
	Reason string
	// Hint says what to do about it; it may be empty.
	Hint string
	// Err is the cause. Its own text may hold more than should be shown.
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

// Unwrap gives the kind and the cause, and the like of io/fs.
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
