package simulation

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/results"
)

// root creates the root, or adopts that of the run that is resumed.
func (s *session) root(ctx context.Context) (mutate.Root, error) {
	if before := s.Start.Resume; before != nil {
		root, found, err := s.engine.AdoptRoot(ctx)
		if err != nil {
			return mutate.Root{}, err
		}
		if found && root == before.Root {
			return root, nil
		}
		s.Start.Resume = nil
		s.Report(Message{Note: &Note{Level: Warning, Text: "what the simulation had made before is gone: it begins anew"}})
	}
	return s.engine.CreateRoot(ctx)
}

// learnPods adds the existing pods to the numbers of a mutator: the checkpoint may be older than
// the last of them.
func (s *session) learnPods(ctx context.Context, mutator *mutate.Mutator) error {
	opts := metav1.ListOptions{LabelSelector: results.SimulationSelector(s.spec.Name), Limit: 500}
	for {
		page, err := s.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, opts)
		if err != nil {
			return fmt.Errorf("list the simulation's pods: %w", err)
		}
		for i := range page.Items {
			if err := mutator.Known(ctx, &page.Items[i]); err != nil {
				s.Log.WarnContext(ctx, "a pod's number may be given twice", "error", err)
			}
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			return nil
		}
	}
}
