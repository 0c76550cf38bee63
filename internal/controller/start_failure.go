package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The reasons of events that explain why a driver does not start.
const (
	eventNoPod    = "FailedCreate" // of a job
	eventNoVolume = "FailedMount"  // of a pod
)

// maxStartFailureAge is the maximum age of an event. A problem that persists is reported again: by
// the kubelet within two minutes, by the job controller within one.
const maxStartFailureAge = 3 * time.Minute

// startFailure returns the latest event about a pod that cannot be created or does not start. It is
// only used in messages, so its own errors are not returned.
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
		s.log.DebugContext(ctx, "cannot list the driver's events", "error", err)
		return ""
	}
	return latestMessage(events.Items, earliestEvent(s.job.CreationTimestamp.Time, s.opts.Clock.Now()))
}

// earliestEvent returns the time from which events about a job count. Older ones may be about an
// earlier job of the same name.
func earliestEvent(created, now time.Time) time.Time {
	if recent := now.Add(-maxStartFailureAge); recent.After(created) {
		return recent
	}
	return created
}

// waitsForVolumes reports whether a pod may be waiting for its volumes: it is on a node and has no
// sandbox yet, which is created after mounting.
func waitsForVolumes(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodPending && pod.Spec.NodeName != "" && !hasCondition(pod, corev1.PodReadyToStartContainers)
}

// latestMessage returns the message of the latest event since a time.
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
