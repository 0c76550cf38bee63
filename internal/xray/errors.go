package xray

import (
	"errors"
	"fmt"
)

var (
	// errNoSelectors is returned for a selector if there is no compiler for it.
	errNoSelectors = errors.New("selectors are not available here")
	// errNoEvent is returned for a number that is not the number of an event.
	errNoEvent = errors.New("must be the number of an event, from 1, as in #12")
	// errNoTime is returned for a text that is not a time.
	errNoTime = errors.New("must be like 10:30, +2h, -5m, 2024-01-01T10:30:00Z, 1704105000")
	// errNoEventHere is returned for the number of an event if only a time is accepted.
	errNoEventHere = errors.New("must be a time, not an event")
)

// TimeError is returned by Print for an invalid time.
type TimeError struct {
	// Flag is the flag with the time, such as "--from", and Value its value.
	Flag, Value string
	Err         error
}

func (e *TimeError) Error() string {
	return fmt.Sprintf("invalid %s %q: %v", e.Flag, e.Value, e.Err)
}

// Unwrap returns the cause.
func (e *TimeError) Unwrap() error { return e.Err }
