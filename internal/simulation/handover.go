package simulation

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/words"
)

// HandOver hands nodes over to an autoscaler, which creates them, and waits until they are ready
// for pods. It returns the others, which it does not create, and notes. Nodes without allocatable
// resources get those of their type.
type HandOver func(ctx context.Context, nodes []*corev1.Node, opts HandOverOptions) (rest []*corev1.Node, notes []string, err error)

// HandOverOptions are options of a HandOver.
type HandOverOptions struct {
	// All says that nodes of which nothing says that they were an autoscaler's are handed over too, if
	// that is possible.
	All bool
	// Start returns when the first event will be due, as it is known then. Before that, the autoscaler
	// removes none of the nodes. It must not be nil.
	Start func() time.Time
	// Taken, if not nil, is called with the number of nodes that are ready so far.
	Taken func(n int)
}

// createNodes creates the planned nodes, or has the autoscaler do so.
func (s *session) createNodes(ctx context.Context) error {
	rest := s.plan.Nodes
	if s.Cluster.HandOver != nil && len(rest) > 0 && s.spec.Nodes.Count == 0 {
		var err error
		if rest, err = s.handOver(ctx); err != nil {
			return err
		}
	}
	if err := nodes.Create(ctx, s.client, rest, s.progress.nodes); err != nil {
		return fmt.Errorf("create nodes: %w", err)
	}
	return nil
}

// handOver hands the planned nodes over to the autoscaler, and returns those that it did not take.
func (s *session) handOver(ctx context.Context) ([]*corev1.Node, error) {
	given := make([]*corev1.Node, 0, len(s.plan.Nodes))
	planned := make(map[string]*corev1.Node, len(s.plan.Nodes))
	for _, node := range s.plan.Nodes {
		planned[node.Name] = node
		if s.plan.Unsized[node.Name] {
			node = node.DeepCopy()
			node.Status.Capacity, node.Status.Allocatable = nil, nil
		}
		given = append(given, node)
	}
	rest, notes, err := s.Cluster.HandOver(ctx, given, HandOverOptions{
		All: s.spec.Nodes.Recorded, Start: s.expectedStart,
		Taken: func(n int) { s.progress.nodes(nodes.Progress{Total: len(given), Created: n, Ready: n}) },
	})
	if err != nil {
		return nil, err
	}
	for _, text := range notes {
		s.Report(Message{Note: &Note{Level: Info, Text: text}})
	}
	for i, node := range rest {
		rest[i] = planned[node.Name]
	}
	return rest, nil
}

// expectedStart returns when the first event will be due, unless something takes long until then.
func (s *session) expectedStart() time.Time {
	start, _ := s.Start.clockStart(s.Prepared, s.Clock.Now())
	return start
}

// unsizedNote says which size the nodes have that were recorded without one, if an autoscaler gets
// them, or returns "".
func unsizedNote(plan *nodes.Plan) string {
	if len(plan.Unsized) == 0 {
		return ""
	}
	return fmt.Sprintf("%s recorded without a size: those that are handed over have that of their instance type, others that of --node-shape",
		words.Count(len(plan.Unsized), "node"))
}
