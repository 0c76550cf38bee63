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

// stuckAfter is how long after its deadline a deletion counts as stuck.
const stuckAfter = time.Minute

// stop deletes the driver and waits until it is gone, so that it creates nothing during the
// clean-up.
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
		return nil // the job and its pods belong to somebody else
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
	// Report the pod that is most overdue.
	pod := slices.MinFunc(pods.Items, func(a, b corev1.Pod) int { return deletionDeadline(&a).Compare(deletionDeadline(&b)) })
	if unseen && pod.DeletionTimestamp == nil {
		return fmt.Errorf("stop the driver, whose pod %s exists: read its job: %w", pod.Name, err)
	}
	reason, message := describeDeletion(&pod, s.opts.Clock.Now())
	return waitFor(time.Second, reason, "%s", message)
}

// deletionDeadline returns when an object should be gone. An object that is not being deleted comes
// after all that are.
func deletionDeadline(object client.Object) time.Time {
	if at := object.GetDeletionTimestamp(); at != nil {
		return at.Time // includes a pod's grace period
	}
	return time.Unix(1<<40, 0)
}

// describeDeletion returns a condition's reason and message for an object that is being deleted. If
// it is overdue, the message says what may block it and what to do.
func describeDeletion(object client.Object, now time.Time) (reason, message string) {
	what := describe(object)
	late := now.Sub(deletionDeadline(object))
	if late < stuckAfter {
		return reasonCleaningUp, fmt.Sprintf("Waiting until %s is deleted.", what)
	}
	message = fmt.Sprintf("%s should have been deleted by %s.", what, deletionDeadline(object).UTC().Format(time.RFC3339))
	pod, isPod := object.(*corev1.Pod)
	switch finalizers := object.GetFinalizers(); {
	case len(finalizers) > 0:
		return reasonStuck, message + fmt.Sprintf(" Its finalizers %s block the deletion. Their owners must remove them.", strings.Join(finalizers, ", "))
	case isPod && pod.Spec.NodeName != "":
		return reasonStuck, message + fmt.Sprintf(" Check whether its node %s is up. Only if the node is gone for good: "+
			"kubectl delete pod -n %s %s --force --grace-period=0", pod.Spec.NodeName, pod.Namespace, pod.Name)
	default:
		return reasonStuck, message + " Check whether the garbage collector works; it is part of kube-controller-manager."
	}
}
