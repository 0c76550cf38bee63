package action

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
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
)

const podPoll = 500 * time.Millisecond

// waitForPods polls the pods until all of them are in the state that is wanted. It fails at once
// only if listing pods is forbidden; all other errors may pass.
type waitForPods struct{ *simkubev1.WaitForPodsAction }

func (w waitForPods) Validate() error {
	switch w.For {
	case "", simkubev1.PodsReady, simkubev1.PodsFinished, simkubev1.PodsGone:
	default:
		return fmt.Errorf("invalid waitForPods.for %q: must be Ready, Finished or Gone", w.For)
	}
	if w.Count != nil && *w.Count < 0 {
		return errors.New("waitForPods.count must not be negative")
	}
	if err := validateNamespace(w.Namespace); err != nil {
		return fmt.Errorf("invalid waitForPods.namespace %q: %w", w.Namespace, err)
	}
	_, err := w.selector()
	return err
}

// selector returns the selector of the pods, which selects all pods by default.
func (w waitForPods) selector() (labels.Selector, error) {
	if w.Selector == nil {
		return labels.Everything(), nil
	}
	selector, err := metav1.LabelSelectorAsSelector(w.Selector)
	if err != nil {
		return nil, fmt.Errorf("waitForPods.selector: %w", err)
	}
	return selector, nil
}

func (w waitForPods) Run(ctx context.Context, env Env) (Result, error) {
	client, err := kubernetes.NewForConfig(env.Config)
	if err != nil {
		return noProcess(), fmt.Errorf("make client: %w", err)
	}
	return noProcess(), w.wait(ctx, client)
}

func (w waitForPods) wait(ctx context.Context, client kubernetes.Interface) error {
	selector, err := w.selector()
	if err != nil {
		return err
	}
	last := errors.New("the API server has not answered")
	err = wait.PollUntilContextCancel(ctx, podPoll, true, func(ctx context.Context) (bool, error) {
		list, err := client.CoreV1().Pods(w.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
		switch {
		case err != nil && ctx.Err() != nil:
			return false, ctx.Err() // the last state is more specific
		case apierrors.IsForbidden(err):
			last = fmt.Errorf("list pods: %w", err)
			return false, last
		case err != nil:
			last = fmt.Errorf("list pods: %w", err)
			return false, nil
		}
		last = w.missing(list.Items)
		return last == nil, nil
	})
	if err != nil {
		return last
	}
	return nil
}

// missing returns an error that describes what the pods lack to be in the state that is wanted, and
// nil if they lack nothing.
func (w waitForPods) missing(pods []corev1.Pod) error {
	states := map[string]int{}
	done := 0
	for i := range pods {
		state := podState(&pods[i])
		states[state]++
		switch w.For {
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
	minimum := 1
	if w.Count != nil {
		minimum = int(*w.Count)
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
	case w.For == simkubev1.PodsGone && len(pods) > 0:
		return fmt.Errorf("wanted no pods; %s", found)
	case w.For == simkubev1.PodsGone, done == len(pods) && done >= minimum:
		return nil
	}
	want := w.For
	if want == "" {
		want = simkubev1.PodsReady
	}
	return fmt.Errorf("wanted at least %d pods, all %s; %s", minimum, want, found)
}

// podState returns a pod's state for messages: its phase, or for a running pod whether it is ready.
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
