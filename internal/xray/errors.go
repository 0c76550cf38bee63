package xray

import "errors"

var (
	// errNoSelectors is returned for a selector if there is no compiler for it.
	errNoSelectors = errors.New("selectors are not available here")
	// errNoEvent is returned for a number that is not the number of an event.
	errNoEvent = errors.New("want the number of an event, from 1, as in #12")
	// errNoEventHere is returned for the number of an event if only a time is accepted.
	errNoEventHere = errors.New("want a time, not an event")
)

// TimeError is returned by Print for an invalid time.
type TimeError struct {
	// Flag is the flag with the time, such as "--from".
	Flag string
	Err  error
}

func (e *TimeError) Error() string { return e.Flag + " " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TimeError) Unwrap() error { return e.Err }
