package manifest

import (
	"encoding/json"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/trace"
)

// observe returns the lifecycle that a pod's status describes, which ParsePod must return as well.
// It starts with the earliest start of a container and ends with the latest end, init containers
// included. It ends only when every main container has terminated.
func observe(pod *corev1.Pod) trace.Lifecycle {
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

// observeDeleted is observe for a pod that was deleted at a time. A pod that was still running
// finished then.
func observeDeleted(pod *corev1.Pod, at int64) trace.Lifecycle {
	l := observe(pod)
	if l.State == trace.Running {
		return trace.Lifecycle{State: trace.Finished, Start: l.Start, End: max(at, l.Start)}
	}
	return l
}

// include extends a lifecycle by the times of one container. A container that restarted also has
// the start of its former run, which is earlier.
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

func started(start int64) trace.Lifecycle {
	return trace.Lifecycle{State: trace.Running, Start: start}
}

func finished(start, end int64) trace.Lifecycle {
	return trace.Lifecycle{State: trace.Finished, Start: start, End: end}
}

func since(start int64) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(start)}}}
}

func ended(start, end int64) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: terminated(start, end)}
}

func terminated(start, end int64) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: at(start), FinishedAt: at(end)}}
}

func waiting(last corev1.ContainerState) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: last,
	}
}

func at(seconds int64) metav1.Time { return metav1.Unix(seconds, 0) }

func TestParsePod_lifecycle(t *testing.T) {
	for name, c := range map[string]struct {
		init, main []corev1.ContainerStatus
		containers int // of the spec; 0 means as many as there are statuses
		want       trace.Lifecycle
		deleted    trace.Lifecycle // when deleted at 100
	}{
		"no status":                {containers: 1, want: trace.Lifecycle{}, deleted: trace.Lifecycle{}},
		"waiting":                  {main: []corev1.ContainerStatus{waiting(corev1.ContainerState{})}, want: trace.Lifecycle{}, deleted: trace.Lifecycle{}},
		"init container runs":      {init: []corev1.ContainerStatus{since(3)}, containers: 1, want: started(3), deleted: finished(3, 100)},
		"init container is done":   {init: []corev1.ContainerStatus{ended(3, 5)}, containers: 1, want: started(3), deleted: finished(3, 100)},
		"one of two runs":          {main: []corev1.ContainerStatus{ended(4, 9), since(5)}, want: started(4), deleted: finished(4, 100)},
		"both are done":            {main: []corev1.ContainerStatus{ended(4, 9), ended(5, 7)}, want: finished(4, 9), deleted: finished(4, 9)},
		"init container ends last": {init: []corev1.ContainerStatus{ended(1, 12)}, main: []corev1.ContainerStatus{ended(4, 9)}, want: finished(1, 12), deleted: finished(1, 12)},
		"one has no status yet":    {main: []corev1.ContainerStatus{ended(4, 9)}, containers: 2, want: started(4), deleted: finished(4, 100)},
		"crashed before":           {main: []corev1.ContainerStatus{waiting(terminated(4, 6))}, want: started(4), deleted: finished(4, 100)},
		"starts after deletion":    {main: []corev1.ContainerStatus{since(120)}, want: started(120), deleted: finished(120, 120)},
		"never started":            {main: []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "ContainerStatusUnknown"}}}}, want: trace.Lifecycle{}, deleted: trace.Lifecycle{}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Status: corev1.PodStatus{InitContainerStatuses: c.init, ContainerStatuses: c.main}}
			pod.Spec.Containers = make([]corev1.Container, max(c.containers, len(c.main)))
			if got := observe(pod); got != c.want {
				t.Errorf("observe() = %v, want %v", got, c.want)
			}
			if got := observeDeleted(pod, 100); got != c.deleted {
				t.Errorf("observeDeleted() = %v, want %v", got, c.deleted)
			}
			data, err := json.Marshal(pod)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := ParsePod(data)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Lifecycle != c.want || parsed.ObserveDeleted(100) != c.deleted {
				t.Errorf("ParsePod() has %v, deleted %v; want %v, %v", parsed.Lifecycle, parsed.ObserveDeleted(100), c.want, c.deleted)
			}
		})
	}
}
