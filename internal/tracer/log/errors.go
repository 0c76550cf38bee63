package log

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// What Open can fail with besides what the file system says.
var (
	// ErrInUse is returned when another process, or this one, has the log open.
	ErrInUse = errors.New("in use")
	// ErrNotLog is returned when the directory holds something that is not a log.
	ErrNotLog = errors.New("not an event log")
	// ErrNewer is returned when a newer version of the program made the log.
	ErrNewer = errors.New("made by a newer version")
)

// What the methods can fail with.
var (
	// ErrClosed is returned when the log has been closed.
	ErrClosed = errors.New("the event log is closed")
	// ErrEntry is returned when an entry cannot be recorded as it is. Nothing was appended.
	ErrEntry = errors.New("not an entry for the event log")
)

// CorruptError says that what is on disk is not what was written. The log cannot be trusted: restore the directory, or move
// it away and begin a new one.
type CorruptError struct {
	// Path is the file that is damaged, empty where the damage is between files, or not known to be in one.
	Path string
	// Err says what is wrong.
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

// typed makes a CorruptError of the store's own.
func typed(err error) error {
	var ours *CorruptError
	if err == nil || errors.As(err, &ours) || !pebble.IsCorruptionError(err) {
		return err
	}
	damage := &CorruptError{Err: err}
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		damage.Path = info.Path
	}
	return damage
}
