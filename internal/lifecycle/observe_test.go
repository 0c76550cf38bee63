package lifecycle

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/trace"
)

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

func TestObserve(t *testing.T) {
	for name, c := range map[string]struct {
		init, main []corev1.ContainerStatus
		containers int // of the spec; 0 means as many as there are statuses
		want       trace.Lifecycle
		deleted    trace.Lifecycle // when deleted at 100
	}{
		"no status":                {containers: 1, want: empty, deleted: empty},
		"waiting":                  {main: []corev1.ContainerStatus{waiting(corev1.ContainerState{})}, want: empty, deleted: empty},
		"init container runs":      {init: []corev1.ContainerStatus{since(3)}, containers: 1, want: running(3), deleted: finished(3, 100)},
		"init container is done":   {init: []corev1.ContainerStatus{ended(3, 5)}, containers: 1, want: running(3), deleted: finished(3, 100)},
		"one of two runs":          {main: []corev1.ContainerStatus{ended(4, 9), since(5)}, want: running(4), deleted: finished(4, 100)},
		"both are done":            {main: []corev1.ContainerStatus{ended(4, 9), ended(5, 7)}, want: finished(4, 9), deleted: finished(4, 9)},
		"init container ends last": {init: []corev1.ContainerStatus{ended(1, 12)}, main: []corev1.ContainerStatus{ended(4, 9)}, want: finished(1, 12), deleted: finished(1, 12)},
		"one has no status yet":    {main: []corev1.ContainerStatus{ended(4, 9)}, containers: 2, want: running(4), deleted: finished(4, 100)},
		"crashed before":           {main: []corev1.ContainerStatus{waiting(terminated(4, 6))}, want: running(4), deleted: finished(4, 100)},
		"starts after deletion":    {main: []corev1.ContainerStatus{since(120)}, want: running(120), deleted: finished(120, 120)},
		"never started":            {main: []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "ContainerStatusUnknown"}}}}, want: empty, deleted: empty},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Status: corev1.PodStatus{InitContainerStatuses: c.init, ContainerStatuses: c.main}}
			pod.Spec.Containers = make([]corev1.Container, max(c.containers, len(c.main)))
			if got := Observe(pod); got != c.want {
				t.Errorf("Observe() = %v, want %v", got, c.want)
			}
			if got := ObserveDeleted(pod, at(100).Truncate(time.Second).Unix()); got != c.deleted {
				t.Errorf("ObserveDeleted() = %v, want %v", got, c.deleted)
			}
		})
	}
}
