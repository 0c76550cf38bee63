package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/mutate"
)

const (
	probeName     = "simkube-probe"
	probeInterval = 500 * time.Millisecond
	// probeTimeout is how long the cluster has to find the way to the webhook: the pod must be seen as ready, and the endpoint be
	// known to the API server.
	probeTimeout = 2 * time.Minute
)

var errNotMutated = errors.New("the API server created the pod without asking the webhook")

// probe returns when the API server has a pod of the simulation mutated by this driver. Nothing may be replayed before:
// pods would be refused, or, had somebody changed the webhook's configuration, land on real nodes. No pod is made for it, but a
// namespace, which goes with the root.
func (d *driver) probe(ctx context.Context, root mutate.Root) error {
	prefix := d.sim.Spec.Driver.VirtualNsPrefix
	namespace := simkubev1.VirtualNamespace(prefix, probeName)
	owner := metav1.OwnerReference{
		APIVersion: simkubev1.GroupVersion.String(), Kind: "SimulationRoot", Name: root.Name, UID: root.UID,
	}
	var last error
	err := wait.PollUntilContextTimeout(ctx, probeInterval, probeTimeout, true, func(ctx context.Context) (bool, error) {
		if last = d.probeOnce(ctx, namespace, owner); last != nil {
			d.log.DebugContext(ctx, "the webhook does not answer yet", "error", last)
		}
		return last == nil, nil
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !isAnswer(last):
		return fmt.Errorf("ask whether the webhook is reached: %w", last)
	}
	return fail(ReasonWebhookUnreachable, "the API server does not reach this driver's webhook within %s: %w; "+
		"network policies and firewalls must let it connect to port %d of the driver's pod, and %s must be as the controller made it",
		probeTimeout, last, d.sim.Spec.Driver.Port, simkubev1.MutatingWebhookName(d.sim.Name))
}

// isAnswer tells what the API server said about the webhook, or about what it was asked for, from its being away or busy.
func isAnswer(err error) bool {
	var status apierrors.APIStatus
	return errors.Is(err, errNotMutated) ||
		errors.As(err, &status) && !apierrors.IsServiceUnavailable(err) && !apierrors.IsTooManyRequests(err) && !apierrors.IsServerTimeout(err)
}

func (d *driver) probeOnce(ctx context.Context, namespace string, owner metav1.OwnerReference) error {
	meta := metav1.ObjectMeta{Name: namespace, Labels: simkubev1.SimulatedLabels(d.sim.Name), OwnerReferences: []metav1.OwnerReference{owner}}
	_, err := d.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: meta}, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %s: %w", namespace, err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: probeName, Namespace: namespace, OwnerReferences: []metav1.OwnerReference{owner},
			Labels: simkubev1.SimulatedLabels(d.sim.Name),
		},
		Spec: corev1.PodSpec{
			// So that the pod depends on nothing else that may not be there yet.
			ServiceAccountName: "default", AutomountServiceAccountToken: new(false),
			Containers: []corev1.Container{{Name: probeName, Image: probeName}},
		},
	}
	opts := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: fieldManager}
	made, err := d.client.CoreV1().Pods(namespace).Create(ctx, pod, opts)
	switch {
	case err != nil:
		return err
	case made.Spec.NodeSelector[simkubev1.LabelNodeType] != simkubev1.NodeTypeVirtual:
		return errNotMutated
	}
	return nil
}
