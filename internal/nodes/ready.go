package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"simkube.io/simkube/internal/words"
)

// NotReadyError is returned by [Create] when its context ends before every node is ready.
type NotReadyError struct {
	// Waiting is the reason why a node is not ready, by node name.
	Waiting map[string]string
	// Total is the number of nodes.
	Total int
	// Cause is why the wait ended.
	Cause error
}

func (e *NotReadyError) Error() string {
	const shown = 3
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range e.Waiting {
			if !yield(name) {
				return
			}
		}
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s (%s)", name, e.Waiting[name]))
	}
	return fmt.Sprintf("wait for nodes: %d of %d are not ready: %s: %v",
		len(e.Waiting), e.Total, words.First(shown, parts...), e.Cause)
}

// Unwrap returns the cause.
func (e *NotReadyError) Unwrap() error { return e.Cause }

const (
	reasonNotSeen  = "not seen yet"
	reasonNotReady = "its Ready condition is not true"
	reasonTaint    = "it still has the taint " + corev1.TaintNodeNotReady
)

// waitReady watches until all nodes are ready, and calls report with the number of ready nodes.
func waitReady(ctx context.Context, client kubernetes.Interface, nodes []*corev1.Node, report func(ready int)) error {
	if len(nodes) == 0 {
		return nil
	}
	waiting := make(map[string]string, len(nodes))
	for _, node := range nodes {
		waiting[node.Name] = reasonNotSeen
	}
	observe := func(node *corev1.Node) {
		if _, wanted := waiting[node.Name]; !wanted {
			return
		}
		if reason := notReadyReason(node); reason != "" {
			waiting[node.Name] = reason
			return
		}
		delete(waiting, node.Name)
		report(len(nodes) - len(waiting))
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.CoreV1().Nodes().List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return client.CoreV1().Nodes().Watch(ctx, options)
		},
	}
	// The informer must not ask for features that the client lacks (a fake client cannot stream
	// lists).
	aware := cache.ToListWatcherWithWatchListSemantics(source, client)
	// The informer lists again after an error of the watch, so only the context ends the wait.
	_, err := watchtools.UntilWithSync(ctx, aware, &corev1.Node{}, nil, func(event watch.Event) (bool, error) {
		node, ok := event.Object.(*corev1.Node)
		if !ok {
			return false, nil
		}
		if _, wanted := waiting[node.Name]; wanted && event.Type == watch.Deleted {
			return false, fmt.Errorf("node %s was deleted before it was ready", node.Name)
		}
		observe(node)
		return len(waiting) == 0, nil
	})
	switch {
	case len(waiting) == 0:
		return nil
	case ctx.Err() != nil:
		return &NotReadyError{Waiting: waiting, Total: len(nodes), Cause: context.Cause(ctx)}
	case err == nil:
		return errors.New("wait for nodes: the watch ended early")
	}
	return fmt.Errorf("wait for nodes: %w", err)
}

// notReadyReason returns why the scheduler does not use a node, or "" if it does.
func notReadyReason(node *corev1.Node) string {
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeNotReady {
			return reasonTaint
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
			return ""
		}
	}
	return reasonNotReady
}
