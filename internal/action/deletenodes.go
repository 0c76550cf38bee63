package action

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
)

// deleteNodes deletes the nodes that exist when it is run. A node that is gone, or was replaced by
// another of its name meanwhile, counts as deleted.
type deleteNodes struct{ *simkubev1.DeleteNodesAction }

func (d deleteNodes) Validate() error {
	_, err := d.selector()
	return err
}

func (d deleteNodes) Run(ctx context.Context, env Env) (Result, error) {
	selector, err := d.selector()
	if err != nil {
		return noProcess(), err
	}
	client, err := kubernetes.NewForConfig(env.Config)
	if err != nil {
		return noProcess(), fmt.Errorf("make client: %w", err)
	}
	nodes := client.CoreV1().Nodes()
	list, err := nodes.List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return noProcess(), fmt.Errorf("list nodes: %w", err)
	}
	for i := range list.Items {
		node := &list.Items[i]
		err := nodes.Delete(ctx, node.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(node.UID))})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return noProcess(), fmt.Errorf("delete node %s, number %d of %d: %w", node.Name, i+1, len(list.Items), err)
		}
	}
	env.Logger.InfoContext(ctx, "deleted nodes", "nodes", len(list.Items))
	return noProcess(), nil
}

// selector returns the selector of the nodes to delete. It never selects every node.
func (d deleteNodes) selector() (labels.Selector, error) {
	selector, err := metav1.LabelSelectorAsSelector(&d.Selector)
	if err != nil {
		return nil, fmt.Errorf("deleteNodes.selector: %w", err)
	}
	if selector.Empty() {
		return nil, errors.New("an empty deleteNodes.selector would delete every node; set matchLabels or matchExpressions")
	}
	return selector, nil
}
