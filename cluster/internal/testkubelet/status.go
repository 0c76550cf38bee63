package testkubelet

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// publish writes the current status of the pod. It returns when that is done, or when the pod or
// the kubelet has ended.
func (w *worker) publish() {
	w.patching.Lock()
	defer w.patching.Unlock()
	for w.ctx.Err() == nil {
		pod := w.latest()
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": w.status()})
		if err == nil {
			_, err = w.k.client.CoreV1().Pods(pod.Namespace).Patch(w.ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
		}
		if err == nil || w.ctx.Err() != nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		w.k.opts.Logger.WarnContext(w.ctx, "write the status of a pod", "namespace", pod.Namespace, "pod", pod.Name, "error", err)
		if w.k.sleep(w.ctx, retryPeriod) != nil {
			return
		}
	}
}

// status returns the status of the pod.
func (w *worker) status() *corev1.PodStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	status := &corev1.PodStatus{
		Phase: w.phase(), StartTime: w.startTime,
		HostIP: w.k.address, HostIPs: []corev1.HostIP{{IP: w.k.address}},
		PodIP: w.k.address, PodIPs: []corev1.PodIP{{IP: w.k.address}},
	}
	ready := status.Phase == corev1.PodRunning
	for _, c := range w.containers {
		started := c.state.Running != nil
		one := corev1.ContainerStatus{
			Name: c.spec.Name, Image: c.spec.Image, ImageID: c.spec.Image, State: c.state, LastTerminationState: c.last,
			Ready: c.ready, RestartCount: c.restarts, Started: &started,
		}
		if started {
			one.ContainerID = containerID(c.pid)
		}
		ready = ready && c.ready
		status.ContainerStatuses = append(status.ContainerStatuses, one)
	}
	status.Conditions = w.conditions(status.Phase, ready)
	return status
}

// phase returns the phase according to the containers. If the pod is deleted, containers that were
// never started count as failed.
func (w *worker) phase() corev1.PodPhase {
	ended, running, failed, begun := 0, false, false, false
	for _, c := range w.containers {
		running = running || c.state.Running != nil
		begun = begun || c.state.Waiting == nil || c.last.Terminated != nil
		if c.state.Terminated != nil {
			ended++
			failed = failed || c.state.Terminated.ExitCode != 0
		}
	}
	switch {
	case ended == len(w.containers) && !failed:
		return corev1.PodSucceeded
	case ended == len(w.containers), w.live.Err() != nil && !running:
		return corev1.PodFailed
	case begun:
		return corev1.PodRunning
	}
	return corev1.PodPending
}

// conditions returns the pod's conditions, with those that others have set.
func (w *worker) conditions(phase corev1.PodPhase, ready bool) []corev1.PodCondition {
	of := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}
	reason := ""
	if terminal(phase) {
		reason = "PodCompleted"
	} else if !ready {
		reason = "ContainersNotReady"
	}
	ours := []corev1.PodCondition{
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue},
		{Type: corev1.ContainersReady, Status: of[ready], Reason: reason},
		{Type: corev1.PodReady, Status: of[ready], Reason: reason},
	}
	now := metav1.NewTime(w.k.opts.Clock.Now())
	var all []corev1.PodCondition
	for _, before := range w.pod.Status.Conditions {
		known := false
		for i := range ours {
			if ours[i].Type == before.Type {
				known = true
				if ours[i].Status == before.Status {
					ours[i].LastTransitionTime = before.LastTransitionTime
				}
			}
		}
		if !known {
			all = append(all, before)
		}
	}
	for i := range ours {
		if ours[i].LastTransitionTime.IsZero() {
			ours[i].LastTransitionTime = now
		}
	}
	return append(all, ours...)
}
