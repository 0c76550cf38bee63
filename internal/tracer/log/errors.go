package log

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Errors of Open, besides those of the file system.
var (
	// ErrInUse is returned when another process, or this one, has the log open.
	ErrInUse = errors.New("in use")
	// ErrNotLog is returned when the directory holds something that is not a log.
	ErrNotLog = errors.New("not an event log")
	// ErrNewer is returned when a newer version of the program made the log.
	ErrNewer = errors.New("made by a newer version")
)

// Errors of the methods.
var (
	// ErrClosed is returned when the log has been closed.
	ErrClosed = errors.New("the event log is closed")
	// ErrEntry is returned when an entry cannot be recorded because it is invalid. Nothing was
	// appended.
	ErrEntry = errors.New("invalid entry of the event log")
)

// CorruptError is returned when the contents on disk differ from what was written. The log must not
// be used: restore the directory, or move it away and begin a new log.
type CorruptError struct {
	// Path is the damaged file. It is empty if the damage is between files, or not known to be in one.
	Path string
	// Err is the damage.
	Err error
}

func (e *CorruptError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("event log is damaged: %v", e.Err)
	}
	return fmt.Sprintf("event log is damaged: %s: %v", e.Path, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

func corrupt(format string, args ...any) error {
	return &CorruptError{Err: fmt.Errorf(format, args...)}
}

// asCorrupt returns corruption errors of the store as a CorruptError, and other errors unchanged.
func asCorrupt(err error) error {
	var known *CorruptError
	if err == nil || errors.As(err, &known) || !pebble.IsCorruptionError(err) {
		return err
	}
	damage := &CorruptError{Err: err}
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		damage.Path = info.Path
	}
	return damage
}
