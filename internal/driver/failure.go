package driver

import (
	"errors"
	"fmt"
)

// The reasons of a Failure.
const (
	ReasonInvalidSimulation  = "InvalidSimulation"
	ReasonHookFailed         = "HookFailed"
	ReasonTraceNotFound      = "TraceNotFound"
	ReasonTraceUnreadable    = "TraceUnreadable"
	ReasonTraceEmpty         = "TraceEmpty"
	ReasonWebhookUnreachable = "WebhookUnreachable"
	ReasonApplyFailed        = "ApplyFailed"
	ReasonResultsNotKept     = "ResultsNotKept"
)

// ErrDeleted is returned when the Simulation is being deleted: what is left is cleaned up by the controller.
var ErrDeleted = errors.New("the simulation is being deleted")

// Failure is an end that a new start cannot mend.
type Failure struct {
	// Reason is one word.
	Reason string
	Err    error
}

func (f *Failure) Error() string { return f.Reason + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

func fail(reason, format string, args ...any) error {
	return &Failure{Reason: reason, Err: fmt.Errorf(format, args...)}
}
