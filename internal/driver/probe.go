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
	// probeTimeout is how long the API server may take to reach the webhook: the pod must become
	// ready, and its endpoint known.
	probeTimeout = 2 * time.Minute
)

var errNotMutated = errors.New("the API server created the pod without asking the webhook")

// probe waits until the API server lets this driver mutate pods of the simulation. Before that,
// nothing may be replayed: pods would be rejected, or, if the webhook's configuration was changed,
// be bound to real nodes. It creates no pod, but a namespace, which is deleted with the root.
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

// isAnswer reports whether an error is a response about the webhook or the request, and not about
// an API server that is unavailable or busy.
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
			// The pod must not depend on objects that may not exist yet.
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
