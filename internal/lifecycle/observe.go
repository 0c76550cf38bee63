package lifecycle

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/trace"
)

// Observe reads a pod's lifecycle off its status. It starts with the earliest start of a container and
// ends with the latest end, init containers included; but it ends only when every main container has
// terminated.
func Observe(pod *corev1.Pod) trace.Lifecycle {
	var l trace.Lifecycle
	terminated := 0
	for _, status := range pod.Status.InitContainerStatuses {
		include(&l, status)
	}
	for _, status := range pod.Status.ContainerStatuses {
		include(&l, status)
		if status.State.Terminated != nil {
			terminated++
		}
	}
	switch {
	case l.State == trace.Empty:
		return trace.Lifecycle{}
	case terminated > 0 && terminated >= len(pod.Spec.Containers):
		l.State = trace.Finished
	default:
		l.End = 0
	}
	return l
}

// ObserveDeleted is Observe for a pod that was deleted at a time: one that was still running finished then.
func ObserveDeleted(pod *corev1.Pod, at int64) trace.Lifecycle {
	l := Observe(pod)
	if l.State == trace.Running {
		return trace.Lifecycle{State: trace.Finished, Start: l.Start, End: max(at, l.Start)}
	}
	return l
}

// include widens a lifecycle by the times of one container. A container that restarted has its former
// run's start too, which is earlier.
func include(l *trace.Lifecycle, status corev1.ContainerStatus) {
	var starts []int64
	if running := status.State.Running; running != nil && !running.StartedAt.IsZero() {
		starts = append(starts, running.StartedAt.Unix())
	}
	for _, state := range []corev1.ContainerState{status.State, status.LastTerminationState} {
		if state.Terminated == nil {
			continue
		}
		if !state.Terminated.StartedAt.IsZero() {
			starts = append(starts, state.Terminated.StartedAt.Unix())
		}
		if !state.Terminated.FinishedAt.IsZero() {
			l.End = max(l.End, state.Terminated.FinishedAt.Unix())
		}
	}
	if len(starts) == 0 {
		return
	}
	if start := slices.Min(starts); l.State == trace.Empty || start < l.Start {
		l.State, l.Start = trace.Running, start
	}
}
