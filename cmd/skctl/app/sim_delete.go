package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

func newDelete(p *program) *cobra.Command {
	var (
		kube = newKubeFlags()
		wait bool
	)
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Aliases: []string{"d", "del", "rm"},
		Short:   "Delete a simulation from a cluster, with everything created for it",
		Long: `delete deletes a simulation, which ends if it is running. sk-ctrl then removes what was simulated, and
the driver. Results in a bucket, a ConfigMap or a volume stay.` + exitStatus,
		Example:           "  skctl delete --wait friday",
		Args:              oneArg("NAME"),
		ValidArgsFunction: p.completeSimulations(kube),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSimulations(cmd.Context(), kube, func(ctx context.Context, sims *simulations) error {
				return p.runDelete(ctx, sims, args[0], wait)
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it is gone, and show the progress")
	addKubeFlags(cmd, kube)
	return cmd
}

func (p *program) runDelete(ctx context.Context, sims *simulations, name string, wait bool) error {
	sim, err := sims.simulation(ctx, name)
	if err != nil {
		return err
	}
	request, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	// Delete the one that was read, not one that was created in the meantime.
	err = sims.Delete(request, name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(sim.UID))})
	if err != nil {
		return sims.explain(ctx, "delete", name, err)
	}
	if wait {
		if err := p.waitUntilGone(ctx, sims, sim); err != nil {
			return err
		}
	}
	what := "deleted"
	if !wait && len(sim.Finalizers) > 0 {
		what = "is being deleted"
	}
	return p.printChanged(name, what)
}

// waitUntilGone waits until a deleted simulation is gone.
func (p *program) waitUntilGone(ctx context.Context, sims *simulations, sim *simkubev1.Simulation) error {
	begin := sims.clock.Now()
	view := p.newSimView()
	follow := &follower{sims: sims, name: sim.Name, uid: sim.UID, notes: p.streams.Err, see: func(sim *simkubev1.Simulation) (bool, error) {
		view.show(sim)
		return false, nil
	}}
	err := follow.run(ctx)
	view.close()
	switch {
	case errors.Is(err, errGone):
		p.notef("gone after %s", sims.clock.Since(begin).Round(time.Second))
		return nil
	case errors.Is(err, errInterrupted):
		return hint(fmt.Errorf("%w: the deletion of simulation %s continues", errInterrupted, sim.Name), "to check whether it is gone, run %s get %s", p.name, sim.Name)
	}
	return err
}
