package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Runner runs hooks.
type Runner struct {
	Config *rest.Config       // of the cluster that the actions work on
	Logger *slog.Logger       // required
	Clock  clock.PassiveClock // required by RunPhase
	Env    []string           // for commands, in addition to that of this process
	// OnDone is told of each hook of a phase that ended; may be nil.
	OnDone func(record simkubev1.HookRecord, hook simkubev1.SimulationHook, err error)
}

// Result is what a command came to. ExitCode is -1 if it did not exit by itself; Output is the end of what it printed.
type Result struct {
	ExitCode int
	Output   string
}

// Error says that a hook failed.
type Error struct {
	Cmd      string
	ExitCode int // -1 if there is none
	Timeout  bool
	Output   string
	Err      error
}

// Error says why in one line, and then what the command printed last.
func (e *Error) Error() string {
	text := fmt.Sprintf("hook %s: %v", e.Cmd, e.Err)
	if e.Timeout {
		text = fmt.Sprintf("hook %s: took longer than its timeoutSeconds: %v", e.Cmd, e.Err)
	}
	if e.Output != "" {
		text += "\n" + e.Output
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errNoAction is returned for an action that this Runner cannot do.
var errNoAction = errors.New("the actions apply, waitForPods and deleteNodes are not available here; use cmd")

// Run runs one hook and waits for it. An error is an *[Error] unless ctx ended first.
func (r *Runner) Run(ctx context.Context, hook simkubev1.SimulationHook, sim *simkubev1.Simulation) (Result, error) {
	timeout := defaultTimeout
	if hook.TimeoutSeconds != nil {
		timeout = time.Duration(*hook.TimeoutSeconds) * time.Second
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := Result{ExitCode: -1}, check(hook)
	if err == nil {
		if hook.Cmd == "" {
			err = errNoAction
		} else {
			result, err = r.command(limited, hook, sim)
		}
	}
	switch {
	case err == nil:
		return result, nil
	case ctx.Err() != nil:
		return result, fmt.Errorf("hook interrupted: %w", ctx.Err())
	}
	return result, &Error{
		Cmd: hook.Cmd, ExitCode: result.ExitCode, Timeout: errors.Is(limited.Err(), context.DeadlineExceeded),
		Output: result.Output, Err: err,
	}
}
