package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// stuckAfter is how much later than it should an object may go before users are told how to help.
const stuckAfter = time.Minute

// stop ends the driver and waits until it is gone: it must not make anything while things are removed.
func (s *session) stop(ctx context.Context) error {
	namespace := s.sim.Spec.Driver.Namespace
	job := &batchv1.Job{}
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: simkubev1.DriverName(s.sim.Name)}, job)
	unseen := apierrors.IsForbidden(err)
	switch {
	case err == nil && isOwned(job, s.sim):
		if job.DeletionTimestamp == nil {
			if err := s.delete(ctx, job); err != nil {
				return err
			}
		}
	case err == nil:
		return nil // somebody else's, and so are its pods
	case !isGone(err):
		return fmt.Errorf("read the driver's job: %w", err)
	}
	var pods corev1.PodList
	if err := s.reader.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(objects.DriverPods(s.sim.Name))); err != nil {
		return fmt.Errorf("list the driver's pods: %w", err)
	}
	if len(pods.Items) == 0 {
		return nil
	}
	// The one that holds up longest says most.
	pod := slices.MinFunc(pods.Items, func(a, b corev1.Pod) int { return deletionDeadline(&a).Compare(deletionDeadline(&b)) })
	if unseen && pod.DeletionTimestamp == nil {
		return fmt.Errorf("end the driver, whose pod %s is there: read its job: %w", pod.Name, err)
	}
	reason, message := describeDeletion(&pod, s.opts.Clock.Now())
	return waitFor(time.Second, reason, "%s", message)
}

// deletionDeadline is when an object should be gone; one that is not going goes after all that are.
func deletionDeadline(object client.Object) time.Time {
	if at := object.GetDeletionTimestamp(); at != nil {
		return at.Time // it allows for a pod's grace period
	}
	return time.Unix(1<<40, 0)
}

// describeDeletion says that an object is waited for that is deleted, and, when it should have been gone for some time, what may hold
// it up and what to do.
func describeDeletion(object client.Object, now time.Time) (reason, message string) {
	what := describe(object)
	late := now.Sub(deletionDeadline(object))
	if late < stuckAfter {
		return reasonCleaningUp, fmt.Sprintf("Waits until %s is gone.", what)
	}
	message = fmt.Sprintf("%s should have been gone at %s.", what, deletionDeadline(object).UTC().Format(time.RFC3339))
	pod, isPod := object.(*corev1.Pod)
	switch finalizers := object.GetFinalizers(); {
	case len(finalizers) > 0:
		return reasonStuck, message + fmt.Sprintf(" Its finalizers %s hold it: whoever has set them must remove them.", strings.Join(finalizers, ", "))
	case isPod && pod.Spec.NodeName != "":
		return reasonStuck, message + fmt.Sprintf(" Look whether its node %s is alive. If the node is off for good, and only then: "+
			"kubectl delete pod -n %s %s --force --grace-period=0", pod.Spec.NodeName, pod.Namespace, pod.Name)
	default:
		return reasonStuck, message + " Look whether the garbage collector works: it is part of kube-controller-manager."
	}
}
