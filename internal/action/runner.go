package action

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/rest"

	simkubev1 "simkube.io/simkube/api/v1"
)

// defaultTimeout bounds an action without a timeout of its own.
const defaultTimeout = 600 * time.Second

// Runner runs actions. The zero Runner runs commands. Its fields must not change after the first
// Run; Run may be called concurrently.
type Runner struct {
	// Config reaches the cluster; with nil all actions but commands fail. Its rate limit is ignored.
	Config *rest.Config
	// Logger gets what commands print and what was done; nil means none.
	Logger *slog.Logger
	// ForbidCommands makes commands fail without being run.
	ForbidCommands bool
	// Environ is added to the environment of this process for commands, each entry as "key=value".
	Environ []string
}

// Error is the error of an action that failed.
type Error struct {
	// Name is that of the action; see the function Name.
	Name string
	// ExitCode is -1 if no process exited by itself.
	ExitCode int
	// Timeout reports whether the action took longer than its timeout.
	Timeout bool
	// Output is the end of what a command printed.
	Output string
	Err    error
}

// Error returns the cause in one line, followed by the output.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %v", e.Name, e.Err)
	if e.Timeout {
		text = fmt.Sprintf("%s: took longer than its timeoutSeconds: %v", e.Name, e.Err)
	}
	if e.Output != "" {
		text += "\n" + e.Output
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errors of actions that were not run.
var (
	// ErrCommandForbidden is returned for a command if Runner.ForbidCommands is set.
	ErrCommandForbidden = errors.New("commands are not run here; start sk-ctrl with --hook-commands=true to have them run, or use an action")
	// ErrNoCluster is returned for an action that is not a command if Runner.Config is nil.
	ErrNoCluster = errors.New("no cluster is configured for it; use cmd")
)

// Run runs the action that a hook asks for, and returns when it is done or its timeout has passed.
// A command reads sim from its standard input if the hook says so. Every error is an *[Error],
// unless ctx ended first.
func (r *Runner) Run(ctx context.Context, hook simkubev1.SimulationHook, sim *simkubev1.Simulation) (Result, error) {
	timeout := defaultTimeout
	if hook.TimeoutSeconds != nil {
		timeout = time.Duration(*hook.TimeoutSeconds) * time.Second
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := r.run(limited, hook, sim)
	switch {
	case err == nil:
		return result, nil
	case ctx.Err() != nil:
		return result, fmt.Errorf("interrupted: %w", ctx.Err())
	}
	return result, &Error{
		Name: Name(hook), ExitCode: result.ExitCode, Timeout: errors.Is(limited.Err(), context.DeadlineExceeded),
		Output: result.Output, Err: err,
	}
}

func (r *Runner) run(ctx context.Context, hook simkubev1.SimulationHook, sim *simkubev1.Simulation) (Result, error) {
	action, err := New(hook)
	env := Env{Logger: r.Logger, Environ: r.Environ, Simulation: sim}
	if env.Logger == nil {
		env.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case err != nil:
	case hook.Cmd != "" && r.ForbidCommands:
		err = ErrCommandForbidden
	case hook.Cmd == "" && r.Config == nil:
		err = ErrNoCluster
	case r.Config != nil:
		env.Config = rest.CopyConfig(r.Config)
		env.Config.QPS, env.Config.Burst = -1, -1 // the API server has limits of its own
		env.Config.WarningHandlerWithContext = rest.NoWarnings{}
	}
	if err != nil {
		return noProcess(), err
	}
	return action.Run(ctx, env)
}

// noProcess returns the result of an action that started no process.
func noProcess() Result { return Result{ExitCode: -1} }
