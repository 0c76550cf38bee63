package hooks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
)

const podPoll = 500 * time.Millisecond

// waitForPods looks at the pods again and again. It gives up early only if it may not look at them.
func waitForPods(ctx context.Context, client kubernetes.Interface, action *simkubev1.WaitForPodsAction) error {
	selector, err := podSelector(action)
	if err != nil {
		return err
	}
	last := errors.New("the API server has not answered")
	err = wait.PollUntilContextCancel(ctx, podPoll, true, func(ctx context.Context) (bool, error) {
		list, err := client.CoreV1().Pods(action.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
		switch {
		case err != nil && ctx.Err() != nil:
			return false, ctx.Err() // what was seen last says more
		case apierrors.IsForbidden(err):
			last = fmt.Errorf("list pods: %w", err)
			return false, last
		case err != nil:
			last = fmt.Errorf("list pods: %w", err)
			return false, nil
		}
		last = missing(action, list.Items)
		return last == nil, nil
	})
	if err != nil {
		return last
	}
	return nil
}

// missing says what the pods lack to be as the action wants them; nil means nothing.
func missing(action *simkubev1.WaitForPodsAction, pods []corev1.Pod) error {
	states := map[string]int{}
	done := 0
	for i := range pods {
		state := podState(&pods[i])
		states[state]++
		switch action.For {
		case "", simkubev1.PodsReady:
			if state == "Ready" {
				done++
			}
		case simkubev1.PodsFinished:
			if state == string(corev1.PodSucceeded) || state == string(corev1.PodFailed) {
				done++
			}
		}
	}
	least := 1
	if action.Count != nil {
		least = int(*action.Count)
	}
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		parts = append(parts, fmt.Sprintf("%d %s", states[state], state))
	}
	found := "there are none"
	if len(parts) > 0 {
		found = "there are " + strings.Join(parts, ", ")
	}
	switch {
	case action.For == simkubev1.PodsGone && len(pods) > 0:
		return fmt.Errorf("wanted no pods; %s", found)
	case action.For == simkubev1.PodsGone, done == len(pods) && done >= least:
		return nil
	}
	want := action.For
	if want == "" {
		want = simkubev1.PodsReady
	}
	return fmt.Errorf("wanted at least %d pods, all %s; %s", least, want, found)
}

// podState is one word for how far a pod is: its phase, or whether it is ready while it runs.
func podState(pod *corev1.Pod) string {
	switch pod.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed:
		return string(pod.Status.Phase)
	case "":
		return string(corev1.PodPending)
	}
	if pod.DeletionTimestamp != nil {
		return "Terminating"
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return "Ready"
		}
	}
	if pod.Status.Phase == corev1.PodRunning {
		return "Running but not ready"
	}
	return string(pod.Status.Phase)
}
