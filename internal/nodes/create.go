package nodes

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// Progress counts the nodes of one [Create].
type Progress struct {
	Total, Created, Ready int
}

// createConcurrency is the number of nodes created at a time: enough to keep an API server on two
// cores busy.
const createConcurrency = 16

// Create creates the nodes concurrently and returns when all of them are ready for pods: the Ready
// condition is true (KWOK sets it) and the taint node.kubernetes.io/not-ready, which the API server
// adds to a new node, is gone (the node lifecycle controller removes it). The context bounds the
// wait; when it ends, the error is a [*NotReadyError] that wraps its cause. progress may be nil;
// calls to it do not overlap.
//
// It is an error if a node already exists. Nodes created before an error are kept.
func Create(ctx context.Context, client kubernetes.Interface, nodes []*corev1.Node, progress func(Progress)) error {
	count := counter{total: len(nodes), report: progress}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(createConcurrency)
	for _, node := range nodes {
		if groupCtx.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := createOne(groupCtx, client, node); err != nil {
				return err
			}
			count.created()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("create nodes: %w", context.Cause(ctx))
	}
	return waitReady(ctx, client, nodes, count.ready)
}

// createOne creates a node with its status. An API server keeps the status of a new Node, since
// kubelets register that way. If something in between dropped or changed the sizes, createOne
// writes them again.
func createOne(ctx context.Context, client kubernetes.Interface, node *corev1.Node) error {
	api := client.CoreV1().Nodes()
	got, err := api.Create(ctx, node, metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		return fmt.Errorf("create node %s: it already exists and was not created by this simulation: %w", node.Name, err)
	case err != nil:
		return fmt.Errorf("create node %s: %w", node.Name, err)
	}
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		if equality.Semantic.DeepEqual(got.Status.Allocatable, node.Status.Allocatable) &&
			equality.Semantic.DeepEqual(got.Status.Capacity, node.Status.Capacity) {
			return nil
		}
		got = got.DeepCopy()
		got.Status.Allocatable, got.Status.Capacity = node.Status.Allocatable, node.Status.Capacity
		_, updateErr := api.UpdateStatus(ctx, got, metav1.UpdateOptions{})
		if apierrors.IsConflict(updateErr) {
			if fresh, getErr := api.Get(ctx, node.Name, metav1.GetOptions{}); getErr == nil {
				got = fresh
			}
		}
		return updateErr
	})
	if err != nil {
		return fmt.Errorf("set the size of node %s: %w", node.Name, err)
	}
	return nil
}

// counter serializes the progress of concurrent creations.
type counter struct {
	total  int
	report func(Progress)

	mu  sync.Mutex
	now Progress // guarded by mu
}

func (c *counter) created() {
	c.update(func(p *Progress) { p.Created++ })
}

func (c *counter) ready(ready int) {
	c.update(func(p *Progress) { p.Ready = ready })
}

func (c *counter) update(change func(*Progress)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.now
	c.now.Total = c.total
	change(&c.now)
	if c.report != nil && c.now != before {
		c.report(c.now)
	}
}
