package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/words"
)

// The values of wait's --for.
const (
	waitFinished = "finished"
	waitRunning  = "running"
	waitPaused   = "paused"
)

func newWait(p *program) *cobra.Command {
	var (
		kube         = newKubeFlags()
		until, limit string
		strict       bool
		values       = []string{waitFinished, waitRunning, waitPaused}
	)
	cmd := &cobra.Command{
		Use:   "wait NAME",
		Short: "Wait for a simulation in a cluster, and show its progress",
		Long: `wait shows the progress of a simulation until it reaches a state, and its results when it ends. A
finished simulation also counts as running for --for running. The last line of the results is the
verdict: replayed as recorded, or replayed with N deviations.

Durations: ` + timespec.AcceptedDurations + `.

Exit status: 0 reached, 1 failed, deleted or timed out, 2 invalid usage, 3 deviations with --strict,
130 interrupted. The simulation continues in any case.`,
		Example: `  skctl wait friday
  skctl wait friday --for paused --timeout 5m`,
		Args:              oneArg("NAME"),
		ValidArgsFunction: p.completeSimulations(kube),
		RunE: func(cmd *cobra.Command, args []string) error {
			var timeout time.Duration
			var wrong problems
			if !slices.Contains(values, until) {
				wrong.check(fmt.Errorf("invalid --for %q: must be %s", until, words.Or(values...)))
			}
			if strict && until != waitFinished {
				wrong.check(fmt.Errorf("invalid --strict with --for %s: only a finished simulation has deviations", until))
			}
			if cmd.Flags().Changed("timeout") {
				var err error
				timeout, err = timespec.ParseDuration(limit)
				wrong.check(flagError("timeout", err))
			}
			if err := errors.Join(wrong...); err != nil {
				return usage(cmd, err)
			}
			return p.withSimulations(cmd.Context(), kube, func(ctx context.Context, sims *simulations) error {
				return p.runWait(ctx, sims, args[0], waitOptions{until: until, timeout: timeout, strict: strict})
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&until, "for", waitFinished, "state to wait for: finished, running or paused")
	f.StringVar(&limit, "timeout", "", "give up after this time, e.g. 10m; 0s means never (default never)")
	f.BoolVar(&strict, "strict", false, "exit with status 3 if the trace was not replayed as recorded")
	addKubeFlags(cmd, kube)
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions)
	return cmd
}

// waitOptions say what to wait for.
type waitOptions struct {
	until   string
	timeout time.Duration // 0 means none
	strict  bool          // deviations are an error
}

// watchSimulation shows a simulation until it has ended.
func (p *program) watchSimulation(ctx context.Context, sims *simulations, name string, strict bool) error {
	return p.runWait(ctx, sims, name, waitOptions{until: waitFinished, strict: strict})
}

// errOutOfTime is the cause of a context that was cancelled after --timeout.
var errOutOfTime = errors.New("timeout")

func (p *program) runWait(ctx context.Context, sims *simulations, name string, opts waitOptions) error {
	until, timeout := opts.until, opts.timeout
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, errOutOfTime)
		defer cancel()
	}
	view := p.newSimView()
	last := &simkubev1.Simulation{Status: &simkubev1.SimulationStatus{}}
	follow := &follower{sims: sims, name: name, notes: p.streams.Err, see: func(sim *simkubev1.Simulation) (bool, error) {
		last = sim
		view.show(sim)
		return isReached(sim, until)
	}}
	err := follow.run(ctx)
	view.close()
	if isOver(last) {
		if err := writeRuns(p.streams.Out, last, p.style(p.streams.Out).colour); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, errInterrupted):
		return hint(fmt.Errorf("%w: simulation %s continues", errInterrupted, name),
			"to follow it again, run %[1]s wait %[2]s\nto see its driver's log, run %[1]s logs -f %[2]s\nto delete it, run %[1]s delete %[2]s", p.name, name)
	case errors.Is(err, errOutOfTime):
		return hint(fmt.Errorf("wait for simulation %s to be %s: timeout after %s; it is %s", name, until, timeout, headline(last)),
			"it continues; to wait again, run %s wait %s", p.name, name)
	case err == nil && opts.strict:
		return deviationsOf(last)
	}
	return err
}

// isReached reports whether a simulation is in a state; it returns an error if it will never be.
func isReached(sim *simkubev1.Simulation, until string) (bool, error) {
	switch state := sim.Status.State; {
	case state == simkubev1.SimulationFailed:
		return true, failure(sim)
	case until == waitFinished:
		return state == simkubev1.SimulationFinished, nil
	case until == waitRunning:
		return state == simkubev1.SimulationRunning || state == simkubev1.SimulationFinished, nil
	case state == simkubev1.SimulationFinished:
		return true, fmt.Errorf("wait for simulation %s to be %s: it has finished", sim.Name, until)
	}
	return sim.Status.State == simkubev1.SimulationPaused, nil
}
