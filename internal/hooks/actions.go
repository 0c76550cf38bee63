package hooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	simkubev1 "simkube.io/simkube/api/v1"
)

// errNoAction is returned for an action that this Runner cannot do.
var errNoAction = errors.New("the actions apply, waitForPods and deleteNodes are not available here; use cmd")

// hookName is what errors call a hook.
func hookName(hook simkubev1.SimulationHook) string {
	switch {
	case hook.Apply != nil:
		return "apply"
	case hook.WaitForPods != nil:
		return "waitForPods"
	case hook.DeleteNodes != nil:
		return "deleteNodes"
	}
	return hook.Cmd
}

// action does what a hook without a program asks for.
func (r *Runner) action(ctx context.Context, hook simkubev1.SimulationHook) error {
	if r.Config == nil {
		return errNoAction
	}
	config := rest.CopyConfig(r.Config)
	config.QPS, config.Burst = -1, -1 // the API server defends itself
	config.WarningHandlerWithContext = rest.NoWarnings{}
	logger := r.logger().With("action", hookName(hook))
	if hook.Apply != nil {
		return apply(ctx, config, hook.Apply, logger)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	if hook.WaitForPods != nil {
		return waitForPods(ctx, client, hook.WaitForPods)
	}
	return deleteNodes(ctx, client, hook.DeleteNodes, logger)
}

// deleteNodes deletes those nodes that were there when it was called. One that is gone, or has been made anew, is done with.
func deleteNodes(ctx context.Context, client kubernetes.Interface, action *simkubev1.DeleteNodesAction, logger *slog.Logger) error {
	selector, err := nodeSelector(action)
	if err != nil {
		return err
	}
	nodes := client.CoreV1().Nodes()
	list, err := nodes.List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	for i := range list.Items {
		node := &list.Items[i]
		err := nodes.Delete(ctx, node.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(node.UID))})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("delete node %s, number %d of %d: %w", node.Name, i+1, len(list.Items), err)
		}
	}
	logger.InfoContext(ctx, "hook deleted nodes", "nodes", len(list.Items))
	return nil
}
