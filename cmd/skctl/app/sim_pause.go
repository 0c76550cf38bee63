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
		Short: "Hold a simulation in a cluster",
		Long: `pause holds a simulation: nothing more of the trace is applied before skctl resume, and what was to come moves by as much
time as the pause lasts. What was applied stays, and pods go on. To pause what is paused changes nothing.` + exitStatus,
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
		return fmt.Errorf("pause simulation %s: there is nothing to hold: it is %s", name, stateOf(sim))
	case sim.Spec.PausedTime != nil:
		return p.printChanged(name, fmt.Sprintf("paused already, since %s", sim.Spec.PausedTime.UTC().Format(time.RFC3339)))
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
		Short:             "Let a paused simulation in a cluster go on",
		Long:              "resume lets a simulation go on that skctl pause or run --start-paused holds. To resume what is not paused changes nothing." + exitStatus,
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

// pausedAt is the change that pauses a simulation at a time, or resumes it.
func pausedAt(at any) any {
	return map[string]any{"spec": map[string]any{"pausedTime": at}}
}
