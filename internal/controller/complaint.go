package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The reasons of events that say why a driver does not start.
const (
	eventNoPod    = "FailedCreate" // of a job
	eventNoVolume = "FailedMount"  // of a pod
)

// complaintTerm is how long a complaint counts. What is still wrong is said again: by the kubelet within two minutes, by the
// controller of jobs within one.
const complaintTerm = 3 * time.Minute

// complaint gives what is said last about a pod that cannot be made or does not start. It is for an explanation: that it
// cannot be had stops nothing.
func (s *session) complaint(ctx context.Context, pod *corev1.Pod) string {
	about, reason := s.job.Name, eventNoPod
	if pod != nil {
		if !lacksVolume(pod) {
			return ""
		}
		about, reason = pod.Name, eventNoVolume
	}
	var events corev1.EventList
	err := s.reader.List(ctx, &events, client.InNamespace(s.job.Namespace), client.MatchingFields{"involvedObject.name": about, "reason": reason})
	if err != nil {
		s.log.DebugContext(ctx, "what is said about the driver is not known", "error", err)
		return ""
	}
	return latest(events.Items, countedSince(s.job.CreationTimestamp.Time, s.opts.Clock.Now()))
}

// countedSince is when complaints about a job begin to count: an earlier job had the same name.
func countedSince(created, now time.Time) time.Time {
	if recent := now.Add(-complaintTerm); recent.After(created) {
		return recent
	}
	return created
}

// lacksVolume tells whether a pod may wait for its volumes: it is on a node, and its sandbox, which comes after them, is not
// there.
func lacksVolume(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodPending && pod.Spec.NodeName != "" && !hasCondition(pod, corev1.PodReadyToStartContainers)
}

// latest gives the message of the last event since a time.
func latest(events []corev1.Event, since time.Time) string {
	var last time.Time
	text := ""
	for i := range events {
		event := &events[i]
		at := event.LastTimestamp.Time
		if at.IsZero() {
			at = event.EventTime.Time
		}
		if !at.Before(since) && (text == "" || at.After(last)) {
			last, text = at, event.Message
		}
	}
	return text
}
