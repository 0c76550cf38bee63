package hooks

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	simkubev1 "simkube.io/simkube/api/v1"
)

// nodeSelector is the selector of the nodes to delete. It never selects everything.
func nodeSelector(action *simkubev1.DeleteNodesAction) (labels.Selector, error) {
	selector, err := metav1.LabelSelectorAsSelector(&action.Selector)
	if err != nil {
		return nil, fmt.Errorf("deleteNodes.selector: %w", err)
	}
	if selector.Empty() {
		return nil, errors.New("an empty deleteNodes.selector would delete every node; give matchLabels or matchExpressions")
	}
	return selector, nil
}

// podSelector selects all pods if the action names none.
func podSelector(action *simkubev1.WaitForPodsAction) (labels.Selector, error) {
	if action.Selector == nil {
		return labels.Everything(), nil
	}
	selector, err := metav1.LabelSelectorAsSelector(action.Selector)
	if err != nil {
		return nil, fmt.Errorf("waitForPods.selector: %w", err)
	}
	return selector, nil
}

func checkWait(action *simkubev1.WaitForPodsAction) error {
	switch action.For {
	case "", simkubev1.PodsReady, simkubev1.PodsFinished, simkubev1.PodsGone:
	default:
		return fmt.Errorf("waitForPods.for is %q; use Ready, Finished or Gone", action.For)
	}
	if action.Count != nil && *action.Count < 0 {
		return errors.New("waitForPods.count must not be negative")
	}
	if err := checkNamespace(action.Namespace); err != nil {
		return fmt.Errorf("invalid waitForPods.namespace %q: %w", action.Namespace, err)
	}
	_, err := podSelector(action)
	return err
}
