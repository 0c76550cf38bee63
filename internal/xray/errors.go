package xray

import "errors"

var (
	// errNoSelectors is returned for a selector where nobody can compile one.
	errNoSelectors = errors.New("selectors are not available here")
	// errNoEvent is returned for a number that is none of an event.
	errNoEvent = errors.New("want the number of an event, from 1, as in #12")
	// errNoEventHere is returned for the number of an event where only a time will do.
	errNoEventHere = errors.New("want a time, not an event")
)

// TimeError is returned by Print for a time that cannot be understood.
type TimeError struct {
	// Flag is where it was given, as in "--from".
	Flag string
	Err  error
}

func (e *TimeError) Error() string { return e.Flag + " " + e.Err.Error() }

// Unwrap gives what is wrong with it.
func (e *TimeError) Unwrap() error { return e.Err }
