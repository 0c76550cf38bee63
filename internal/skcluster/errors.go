package skcluster

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/simulation"
)

// FailedError is returned when a simulation came to nothing and sk-cluster said why.
type FailedError struct {
	simulation.Failed
}

func (e *FailedError) Error() string { return e.Failed.Error }

// CrashError is returned when sk-cluster ended, or had to be ended, without saying how
// the simulation went.
type CrashError struct {
	// Status says how the process ended ("exit status 2", "signal: killed").
	Status string
	// Cause says why it was ended by us; nil when it ended by itself.
	Cause error
	// Tail is the end of what it printed, without stack traces.
	Tail []string
	// Log is the file with all that is known; empty if it could not be written.
	Log string
}

func (e *CrashError) Error() string {
	var b strings.Builder
	if e.Cause != nil {
		fmt.Fprintf(&b, "%v (%s)", e.Cause, e.Status)
	} else {
		fmt.Fprintf(&b, "the control plane ended unexpectedly (%s)", e.Status)
	}
	for _, line := range e.Tail {
		b.WriteString("\n    " + line)
	}
	return b.String()
}

func (e *CrashError) Unwrap() error { return e.Cause }
