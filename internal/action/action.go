package action

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"k8s.io/client-go/rest"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Action is one thing to do, with its arguments.
type Action interface {
	// Validate returns an error if the arguments are invalid in every cluster. It makes no requests.
	Validate() error
	// Run runs the action and returns when it is done. It returns soon after ctx ends.
	Run(ctx context.Context, env Env) (Result, error)
}

// Env is what an action runs with.
type Env struct {
	// Config reaches the cluster, without a rate limit. It is not nil, except for a command.
	Config *rest.Config
	// Logger is not nil.
	Logger *slog.Logger
	// Environ is added to the environment of this process for commands, each entry as "key=value".
	Environ []string
	// Simulation is what a command reads if it asks for it. It may be nil.
	Simulation *simkubev1.Simulation
}

// Result is the result of an action. Only commands have an exit code and output.
type Result struct {
	// ExitCode is -1 if no process exited by itself.
	ExitCode int
	// Output is the end of what the process printed.
	Output string
}

// field is a field of a hook that asks for an action.
type field struct {
	name   string
	set    bool
	action Action
}

// fields returns the fields of a hook that ask for an action, set or not. It is the only list of
// the actions.
func fields(hook simkubev1.SimulationHook) []field {
	return []field{
		{"cmd", hook.Cmd != "", command{hook}},
		{"apply", hook.Apply != nil, apply{hook.Apply}},
		{"waitForPods", hook.WaitForPods != nil, waitForPods{hook.WaitForPods}},
		{"deleteNodes", hook.DeleteNodes != nil, deleteNodes{hook.DeleteNodes}},
	}
}

// names returns the names of all fields, as in "a, b and c".
func names() string {
	var all []string
	for _, f := range fields(simkubev1.SimulationHook{}) {
		all = append(all, f.name)
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " and " + all[last]
}

// Name returns what errors call the action that a hook asks for: the program of a command, the
// field of another action. It returns the empty string if the hook asks for none.
func Name(hook simkubev1.SimulationHook) string {
	for _, f := range fields(hook) {
		if f.set && hook.Cmd == "" {
			return f.name
		}
	}
	return hook.Cmd
}

// New returns the action that a hook asks for. It returns an error unless the hook asks for exactly
// one action, whose arguments are valid.
func New(hook simkubev1.SimulationHook) (Action, error) {
	var action Action
	for _, f := range fields(hook) {
		switch {
		case !f.set:
		case action != nil:
			return nil, fmt.Errorf("has several actions: must have one of %s; write a hook for each", names())
		default:
			action = f.action
		}
	}
	switch {
	case action == nil:
		return nil, fmt.Errorf("has no action: must have one of %s", names())
	case hook.Cmd == "" && len(hook.Args) > 0:
		return nil, errors.New("args are for cmd only; take them out")
	case hook.Cmd == "" && hook.SendSim:
		return nil, errors.New("sendSim is for cmd only; take it out")
	case hook.TimeoutSeconds != nil && *hook.TimeoutSeconds < 1:
		return nil, errors.New("timeoutSeconds must be at least 1")
	}
	if err := action.Validate(); err != nil {
		return nil, err
	}
	return action, nil
}
