package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/words"
)

// Further values of -o, as in kubectl.
const (
	outputWide = "wide"
	outputName = "name"
)

func newGet(p *program) *cobra.Command {
	var (
		kube    = newKubeFlags()
		output  string
		outputs = []string{outputTable, outputWide, outputJSON, outputYAML, outputName}
	)
	cmd := &cobra.Command{
		Use:   "get [NAME]",
		Short: "Show the simulations in a cluster, or one of them",
		Long: `get shows the progress of simulations: their state, the completed repetitions, how much of the current
one has been replayed, and how many objects could not be applied or deleted. REASON says why a simulation
waits or has failed; -o wide also shows the message.` + exitStatus,
		Example: `  skctl get
  skctl get friday -o wide
  skctl get friday -o json | jq .status.driver.summaries`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: p.completeSimulations(kube),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(outputs, output) {
				return usage(cmd, fmt.Errorf("invalid --output %q: must be %s", output, words.Or(outputs...)))
			}
			return p.withSimulations(cmd.Context(), kube, func(ctx context.Context, sims *simulations) error {
				if len(args) == 1 {
					return p.runGetOne(ctx, sims, args[0], output)
				}
				return p.runGet(ctx, sims, output)
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&output, "output", "o", outputTable, "output format: table, wide, json, yaml or name")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp))
	addKubeFlags(cmd, kube)
	return cmd
}

func (p *program) runGetOne(ctx context.Context, sims *simulations, name, output string) error {
	object, err := sims.object(ctx, name)
	if err != nil {
		return err
	}
	if output == outputJSON || output == outputYAML {
		object.SetManagedFields(nil)
		return printStructured(p.streams.Out, output, object.Object)
	}
	return p.printTable(sims, []unstructured.Unstructured{*object}, output)
}

func (p *program) runGet(ctx context.Context, sims *simulations, output string) error {
	request, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	list, err := sims.List(request, metav1.ListOptions{})
	if err != nil {
		return sims.explain(ctx, "list", "", err)
	}
	if output == outputJSON || output == outputYAML {
		for i := range list.Items {
			list.Items[i].SetManagedFields(nil)
		}
		return printStructured(p.streams.Out, output, list.UnstructuredContent())
	}
	if len(list.Items) == 0 {
		p.notef("there are no simulations; %s run creates one", p.name)
		return nil
	}
	return p.printTable(sims, list.Items, output)
}

// printTable prints simulations as a table, or only their names.
func (p *program) printTable(sims *simulations, objects []unstructured.Unstructured, output string) error {
	shown := make([]*simkubev1.Simulation, 0, len(objects))
	for i := range objects {
		if output == outputName {
			if err := p.printf("%s/%s\n", simulationsName, objects[i].GetName()); err != nil {
				return err
			}
			continue
		}
		sim, err := asSimulation(&objects[i])
		if err != nil {
			return err
		}
		shown = append(shown, sim)
	}
	if output == outputName {
		return nil
	}
	return writeSimulations(p.streams.Out, shown, output == outputWide, sims.clock.Now())
}
