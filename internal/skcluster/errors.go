package skcluster

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/simulation"
)

// FailedError is returned if sk-cluster reported that the simulation failed.
type FailedError struct {
	simulation.Failed
}

func (e *FailedError) Error() string { return e.Failed.Error }

// CrashError is returned if sk-cluster ended, or was killed, without reporting a result.
type CrashError struct {
	// Status is how the process ended ("exit status 2", "signal: killed").
	Status string
	// Cause is why it was killed by this package; nil if it ended by itself.
	Cause error
	// Tail is the end of its output, without stack traces.
	Tail []string
	// Log is the file with its log and output; empty if it could not be written.
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
