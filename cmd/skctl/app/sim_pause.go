package app

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func newPause(p *program) *cobra.Command {
	kube := newKubeFlags()
	cmd := &cobra.Command{
		Use:   "pause NAME",
		Short: "Pause a simulation in a cluster",
		Long: `pause pauses a simulation: nothing more of the trace is applied until skctl resume, and later events are
delayed by the length of the pause. Applied objects stay, and pods keep running. If the simulation is
already paused, nothing changes.` + exitStatus,
		Example:           "  skctl pause friday && skctl wait friday --for paused",
		Args:              oneArg("NAME"),
		ValidArgsFunction: p.completeSimulations(kube),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSimulations(cmd.Context(), kube, func(ctx context.Context, sims *simulations) error {
				return p.runPause(ctx, sims, args[0])
			})
		},
	}
	addKubeFlags(cmd, kube)
	return cmd
}

func (p *program) runPause(ctx context.Context, sims *simulations, name string) error {
	sim, err := sims.simulation(ctx, name)
	switch {
	case err != nil:
		return err
	case isOver(sim):
		return fmt.Errorf("pause simulation %s: it is %s", name, stateOf(sim))
	case sim.Spec.PausedTime != nil:
		return p.printChanged(name, fmt.Sprintf("already paused since %s", sim.Spec.PausedTime.UTC().Format(time.RFC3339)))
	}
	if err := sims.patch(ctx, name, pausedAt(metav1.NewTime(sims.clock.Now().UTC()))); err != nil {
		return err
	}
	return p.printChanged(name, "paused")
}

func newResume(p *program) *cobra.Command {
	kube := newKubeFlags()
	cmd := &cobra.Command{
		Use:               "resume NAME",
		Short:             "Resume a paused simulation in a cluster",
		Long:              "resume continues a simulation that was paused by skctl pause or run --start-paused. If it is not paused, nothing changes." + exitStatus,
		Example:           "  skctl resume friday",
		Args:              oneArg("NAME"),
		ValidArgsFunction: p.completeSimulations(kube),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSimulations(cmd.Context(), kube, func(ctx context.Context, sims *simulations) error {
				return p.runResume(ctx, sims, args[0])
			})
		},
	}
	addKubeFlags(cmd, kube)
	return cmd
}

func (p *program) runResume(ctx context.Context, sims *simulations, name string) error {
	sim, err := sims.simulation(ctx, name)
	switch {
	case err != nil:
		return err
	case sim.Spec.PausedTime == nil:
		return p.printChanged(name, "not paused: nothing to resume")
	}
	if err := sims.patch(ctx, name, pausedAt(nil)); err != nil {
		return err
	}
	return p.printChanged(name, "resumed")
}

// pausedAt returns a patch that pauses a simulation at a time, or resumes it if the time is nil.
func pausedAt(at any) any {
	return map[string]any{"spec": map[string]any{"pausedTime": at}}
}
