package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
)

// completionTimeout is how long the shell may wait for the names of simulations.
const completionTimeout = 3 * time.Second

// simulationsResource returns the resource of Simulations.
func simulationsResource() schema.GroupVersionResource {
	return simkubev1.GroupVersion.WithResource("simulations")
}

// simulations are the Simulations of a cluster. Errors of its methods are meant for users.
type simulations struct {
	dynamic.ResourceInterface
	config *rest.Config
	client *clusterTransport
	clock  clock.Clock
	// program is how the user calls skctl.
	program string
}

// connectSimulations connects to the cluster of the kubeconfig. The caller must close the result.
func (p *program) connectSimulations(kube *genericclioptions.ConfigFlags) (*simulations, error) {
	config, err := p.kubeConfig(kube)
	if errors.Is(err, errNoKubeconfig) {
		return nil, hint(fmt.Errorf("connect to the cluster: %w", err),
			"set it with --kubeconfig and --context, or in the environment variable KUBECONFIG; without a cluster, use %s simulate", p.name)
	}
	if err != nil {
		return nil, err
	}
	// A client-side limit is pointless for these few requests.
	config.QPS = -1
	transport, err := newClusterTransport(config)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfigAndClient(config, transport.client)
	if err != nil {
		transport.close()
		return nil, fmt.Errorf("use the kubeconfig: %w", err)
	}
	return &simulations{
		ResourceInterface: client.Resource(simulationsResource()),
		config:            config, client: transport, clock: clock.RealClock{}, program: p.name,
	}, nil
}

func (s *simulations) close() { s.client.close() }

// object returns a simulation as the API server has it, including unknown fields.
func (s *simulations) object(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	object, err := s.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, s.explain(ctx, "get", name, err)
	}
	return object, nil
}

func (s *simulations) simulation(ctx context.Context, name string) (*simkubev1.Simulation, error) {
	object, err := s.object(ctx, name)
	if err != nil {
		return nil, err
	}
	return asSimulation(object)
}

// create creates a simulation.
func (s *simulations) create(ctx context.Context, sim *simkubev1.Simulation) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	object, err := asObject(sim)
	if err != nil {
		return err
	}
	if _, err := s.Create(ctx, object, metav1.CreateOptions{FieldManager: fieldManager, FieldValidation: metav1.FieldValidationStrict}); err != nil {
		return s.explain(ctx, "create", sim.Name, err)
	}
	return nil
}

// fieldManager is the field manager of skctl's changes.
const fieldManager = "skctl"

// patch changes a simulation with a JSON merge patch.
func (s *simulations) patch(ctx context.Context, name string, change any) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	data, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("write the change: %w", err)
	}
	if _, err := s.Patch(ctx, name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: fieldManager}); err != nil {
		return s.explain(ctx, "change", name, err)
	}
	return nil
}

// only returns a field selector for one simulation.
func only(name string) string {
	return fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
}

// asSimulation converts an object of the API server, without unknown fields.
func asSimulation(object *unstructured.Unstructured) (*simkubev1.Simulation, error) {
	sim := &simkubev1.Simulation{}
	data, err := object.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(data, sim)
	}
	if err != nil {
		return nil, fmt.Errorf("read simulation %s: %w", object.GetName(), err)
	}
	if sim.Status == nil {
		sim.Status = &simkubev1.SimulationStatus{}
	}
	return sim, nil
}

// asObject is the inverse of asSimulation.
func asObject(sim *simkubev1.Simulation) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	data, err := json.Marshal(sim)
	if err == nil {
		err = object.UnmarshalJSON(data)
	}
	if err != nil {
		return nil, fmt.Errorf("write simulation %s: %w", sim.Name, err)
	}
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	return object, nil
}

// withSimulations calls do with the simulations of a cluster.
func (p *program) withSimulations(ctx context.Context, kube *genericclioptions.ConfigFlags, do func(context.Context, *simulations) error) error {
	sims, err := p.connectSimulations(kube)
	if err != nil {
		return err
	}
	defer sims.close()
	return do(ctx, sims)
}

// completeSimulations completes the name of a simulation.
func (p *program) completeSimulations(kube *genericclioptions.ConfigFlags) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		var names []string
		// Without a cluster there are no completions, and errors cannot be shown.
		_ = p.withSimulations(ctx, kube, func(ctx context.Context, sims *simulations) (err error) {
			names, err = sims.names(ctx)
			return err
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
