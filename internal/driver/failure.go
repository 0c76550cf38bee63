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

// ErrDeleted is returned when the Simulation is being deleted. The controller cleans up.
var ErrDeleted = errors.New("the simulation is being deleted")

// Failure is an error that a restart cannot fix.
type Failure struct {
	// Reason is one of the constants above.
	Reason string
	Err    error
}

func (f *Failure) Error() string { return f.Reason + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

func fail(reason, format string, args ...any) error {
	return &Failure{Reason: reason, Err: fmt.Errorf(format, args...)}
}
