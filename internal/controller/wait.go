package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

const (
	// runningRecheck is how often the parts of a running simulation are checked, including its
	// certificate.
	runningRecheck = time.Minute
	// startingRecheck is how often the kubelet's events are read, which are not watched.
	startingRecheck = 5 * time.Second
)

// wait reports the driver's progress until it is done.
func (s *session) wait(ctx context.Context) error {
	pod, err := s.driverPod(ctx)
	if err != nil {
		return err
	}
	// The driver writes its outcome before it exits, so the simulation must be read after the job.
	if err := s.refresh(ctx); err != nil {
		return err
	}
	v := observed{sim: s.sim, job: s.job, pod: pod, startFailure: s.startFailure(ctx, pod)}.assess()
	switch {
	case v.failed != nil:
		return v.failed
	case v.done:
		return s.done(ctx)
	}
	if v.grace > 0 {
		var failed *failure
		if err := s.missing(v.grace, v.reason, "%s", v.message); asFailure(err, &failed) {
			return failed
		}
	}
	now := s.opts.Clock.Now()
	err = s.update(ctx, func(status *simkubev1.SimulationStatus) {
		status.State = v.state
		if status.StartTime == nil && status.Driver != nil && isReplaying(status.Driver.Phase) {
			start := metav1.NewTime(now)
			status.StartTime = &start
		}
		status.CompletedRuns = completedRuns(status)
		ready := metav1.ConditionFalse
		if v.state == simkubev1.SimulationRunning {
			ready = metav1.ConditionTrue
		}
		setCondition(status, metav1.Condition{Type: simkubev1.ConditionReady, Status: ready, Reason: v.reason, Message: v.message}, now)
	})
	if err != nil {
		return err
	}
	after := startingRecheck
	if v.state == simkubev1.SimulationRunning || v.state == simkubev1.SimulationPaused {
		after = runningRecheck
	}
	return waitFor(after, "", "%s", v.message)
}

func completedRuns(status *simkubev1.SimulationStatus) int32 {
	if status.Driver == nil {
		return 0
	}
	return int32(len(status.Driver.Summaries)) // the API allows fewer repetitions
}

// driverPod returns the relevant pod of the job, or nil.
func (s *session) driverPod(ctx context.Context) (*corev1.Pod, error) {
	var pods corev1.PodList
	err := s.client.List(ctx, &pods, client.InNamespace(s.sim.Spec.Driver.Namespace), client.MatchingLabels(objects.DriverPods(s.sim.Name)))
	if err != nil {
		return nil, fmt.Errorf("list the driver's pods: %w", err)
	}
	var newest *corev1.Pod
	for i := range pods.Items {
		pod := &pods.Items[i]
		if metav1.GetControllerOf(pod) == nil || metav1.GetControllerOf(pod).UID != s.job.UID {
			continue // of an earlier job
		}
		going := func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil }
		if newest == nil || going(newest) && !going(pod) ||
			going(newest) == going(pod) && newest.CreationTimestamp.Before(&pod.CreationTimestamp) {
			newest = pod
		}
	}
	return newest, nil
}
