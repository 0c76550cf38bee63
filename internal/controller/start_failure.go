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

// maxStartFailureAge is how long a startFailure counts. What is still wrong is said again: by the kubelet within two minutes, by the
// controller of jobs within one.
const maxStartFailureAge = 3 * time.Minute

// startFailure gives what is said last about a pod that cannot be made or does not start. It is for an explanation: that it
// cannot be had stops nothing.
func (s *session) startFailure(ctx context.Context, pod *corev1.Pod) string {
	about, reason := s.job.Name, eventNoPod
	if pod != nil {
		if !waitsForVolumes(pod) {
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
	return latestMessage(events.Items, earliestEvent(s.job.CreationTimestamp.Time, s.opts.Clock.Now()))
}

// earliestEvent is when complaints about a job begin to count: an earlier job had the same name.
func earliestEvent(created, now time.Time) time.Time {
	if recent := now.Add(-maxStartFailureAge); recent.After(created) {
		return recent
	}
	return created
}

// waitsForVolumes tells whether a pod may wait for its volumes: it is on a node, and its sandbox, which comes after them, is not
// there.
func waitsForVolumes(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodPending && pod.Spec.NodeName != "" && !hasCondition(pod, corev1.PodReadyToStartContainers)
}

// latest gives the message of the last event since a time.
func latestMessage(events []corev1.Event, since time.Time) string {
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
