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

// Runner runs hooks. The zero Runner works. Its fields must not change while it does; Run may be called concurrently.
type Runner struct {
	// Logger gets what commands print; nil means none.
	Logger *slog.Logger
	// Clock stamps records; nil means the system's clock.
	Clock clock.PassiveClock
	// Config is how the actions reach the cluster; with nil they fail.
	Config *rest.Config
	// ForbidCommands has hooks that are commands fail, and not run.
	ForbidCommands bool
	// Env is for commands, in addition to the environment of this process.
	Env []string
	// OnDone is told of each hook of a phase that ended, from the goroutine of RunPhase; nil means nobody is.
	OnDone func(record simkubev1.HookRecord, hook simkubev1.SimulationHook, err error)
}

func (r *Runner) logger() *slog.Logger {
	if r.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Logger
}

// Result is what a command came to. ExitCode is -1 if it did not exit by itself; Output is the end of what it printed.
type Result struct {
	ExitCode int
	Output   string
}

// Error says that a hook failed.
type Error struct {
	Cmd      string // the program, or the name of the action
	ExitCode int    // -1 if there is none
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

// ErrCommandForbidden is why a command was not run.
var ErrCommandForbidden = errors.New("commands are not run here; start sk-ctrl with --hook-commands=true to have them run, or use an action")

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
		switch {
		case hook.Cmd == "":
			err = r.action(limited, hook)
		case r.ForbidCommands:
			err = ErrCommandForbidden
		default:
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
		Cmd: hookName(hook), ExitCode: result.ExitCode, Timeout: errors.Is(limited.Err(), context.DeadlineExceeded),
		Output: result.Output, Err: err,
	}
}
