package results

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// instant is a time on the clock in nanoseconds since 1970; zero means that it did not happen.
type instant int64

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(t.UnixNano())
}

func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// podRecord is the record of a pod. It has a few hundred bytes, because there may be hundreds of
// thousands; strings that many pods share are interned.
type podRecord struct {
	uid, name           string
	namespace           string
	owner               *Owner
	group               string
	node, priorityClass string
	disruption          string
	firstWait, lastWait string
	unhandled           string // says why the scheduler may not handle the pod
	waits               int32
	retried             bool // after an error of the scheduler
	phase               corev1.PodPhase
	waitClasses         uint64
	requests            amounts

	created, scheduled, running, finished, deleted instant
	// ending is when its deletion was first seen.
	ending instant
	// withNode says that it is of a DaemonSet, and ended because its node did. It is not set in the
	// records, but in the copies that a run is made of.
	withNode bool
	// noNode is why the autoscaler has found no node for it, or "". Records do not have it either.
	noNode string
}

// stage is the state of a pod.
type stage uint8

const (
	stageNone stage = iota // not created yet, or gone
	stagePending
	stageStarting
	stageRunning
	stageSucceeded
	stageFailed
	stages
)

func (p *podRecord) stage() stage {
	switch {
	case p.deleted != 0 || p.created == 0:
		return stageNone
	case p.finished != 0 && p.phase == corev1.PodFailed:
		return stageFailed
	case p.finished != 0:
		return stageSucceeded
	case p.running != 0:
		return stageRunning
	case p.scheduled != 0:
		return stageStarting
	}
	return stagePending
}

// stamp chooses the time of something that the recorder has just seen, given the time in the object
// itself (zero for none).
type stamp func(object time.Time) instant

// watched returns the stamp for what a watch delivers: now. The time in the object has only
// seconds.
func watched(now instant) stamp {
	return func(time.Time) instant { return now }
}

// listed returns the stamp for what a list shows after a gap: the time in the object, limited to
// the gap.
func listed(since, now instant) stamp {
	return func(object time.Time) instant {
		if object.IsZero() {
			return now
		}
		return min(max(instantOf(object), since), now)
	}
}

// newPod returns a record for a pod that was not seen before.
func (r *Recorder) newPod(uid string, pod *corev1.Pod) *podRecord {
	owner := OwnerOf(pod)
	kept, ok := r.owners[owner]
	if !ok {
		kept = &Owner{
			Namespace: r.strings.get(owner.Namespace),
			Kind:      r.strings.get(owner.Kind),
			Name:      strings.Clone(owner.Name),
		}
		r.owners[*kept] = kept
	}
	return &podRecord{
		uid:           uid,
		name:          strings.Clone(pod.Name),
		namespace:     r.strings.get(pod.Namespace),
		owner:         kept,
		group:         r.groupOf(pod),
		priorityClass: r.strings.get(pod.Spec.PriorityClassName),
		phase:         corev1.PodPending,
		requests:      r.resources.requestsOf(pod),
		unhandled:     r.strings.get(unhandled(pod)),
	}
}

// update records the current state of a pod. Stages that were not seen get the time of the one that
// was, so that times in a record never decrease.
func (r *Recorder) update(p *podRecord, pod *corev1.Pod, at stamp) {
	if p.created == 0 {
		p.created = at(pod.CreationTimestamp.Time)
	}
	if why := disruptionOf(pod); why != "" && p.disruption == "" {
		p.disruption = r.strings.get(why)
	}
	if p.ending == 0 && pod.DeletionTimestamp != nil {
		p.ending = max(p.created, at(pod.DeletionTimestamp.Add(-gracePeriod(pod))))
	}
	if p.finished != 0 {
		return // for good: no pod comes back from there
	}
	if pod.Spec.NodeName != "" && p.scheduled == 0 {
		p.scheduled = max(p.created, at(conditionTime(pod, corev1.PodScheduled)))
		p.node = r.strings.get(pod.Spec.NodeName)
	}
	if p.scheduled == 0 {
		r.updateWait(p, pod)
	}
	switch pod.Status.Phase {
	case corev1.PodRunning:
		p.phase = corev1.PodRunning
		p.setRunning(at(containersStarted(pod)))
	case corev1.PodSucceeded:
		p.phase = corev1.PodSucceeded
		p.setRunning(at(containersStarted(pod)))
		p.setFinished(at(containersFinished(pod)))
	case corev1.PodFailed:
		p.phase = corev1.PodFailed
		// A pod can fail without having run: evicted, or rejected by its node.
		if started := containersStarted(pod); !started.IsZero() {
			p.setRunning(at(started))
		}
		p.setFinished(at(containersFinished(pod)))
	}
}

func (r *Recorder) updateWait(p *podRecord, pod *corev1.Pod) {
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type != corev1.PodScheduled || c.Status != corev1.ConditionFalse {
			continue
		}
		p.retried = c.Reason == corev1.PodReasonSchedulerError
		message := c.Message
		if message == "" {
			message = c.Reason
		}
		if message == "" || message == p.lastWait {
			return
		}
		p.lastWait = r.strings.get(message)
		if p.firstWait == "" {
			p.firstWait = p.lastWait
		}
		p.waits++
		p.waitClasses |= r.classes.mask(message)
		return
	}
}

// failed reports whether the pod failed, other than with its node.
func (p *podRecord) failed() bool {
	return p.finished != 0 && p.phase == corev1.PodFailed && !p.withNode
}

// succeeded reports whether the pod finished without an error.
func (p *podRecord) succeeded() bool { return p.finished != 0 && p.phase != corev1.PodFailed }

func (p *podRecord) setRunning(at instant) {
	if p.running != 0 {
		return
	}
	if p.scheduled == 0 {
		p.scheduled = max(p.created, at)
	}
	p.running = max(p.scheduled, at)
}

func (p *podRecord) setFinished(at instant) {
	if p.finished == 0 {
		p.finished = max(p.created, p.scheduled, p.running, at)
	}
}

func (p *podRecord) setDeleted(at instant) {
	p.deleted = max(p.created, p.scheduled, p.running, p.finished, at)
}

// gracePeriod returns how long after the request to delete it the deletion timestamp of a pod is.
func gracePeriod(pod *corev1.Pod) time.Duration {
	if pod.DeletionGracePeriodSeconds == nil {
		return 0
	}
	return time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
}

func conditionTime(pod *corev1.Pod, kind corev1.PodConditionType) time.Time {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == kind && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// containersStarted returns the earliest start of a main container, and zero if none is known.
func containersStarted(pod *corev1.Pod) time.Time {
	var first time.Time
	for i := range pod.Status.ContainerStatuses {
		state := &pod.Status.ContainerStatuses[i].State
		var at time.Time
		switch {
		case state.Running != nil:
			at = state.Running.StartedAt.Time
		case state.Terminated != nil:
			at = state.Terminated.StartedAt.Time
		}
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// containersFinished returns the latest end of a main container, and zero if none is known.
func containersFinished(pod *corev1.Pod) time.Time {
	var last time.Time
	for i := range pod.Status.ContainerStatuses {
		if t := pod.Status.ContainerStatuses[i].State.Terminated; t != nil && t.FinishedAt.After(last) {
			last = t.FinishedAt.Time
		}
	}
	return last
}

// disruptionOf returns why a pod was or will be evicted or preempted, and an empty string if it was
// not.
func disruptionOf(pod *corev1.Pod) string {
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return c.Reason
		}
	}
	switch pod.Status.Reason {
	case "Evicted", "Preempted", "Preempting", "NodeLost", "OutOfcpu", "OutOfmemory":
		return pod.Status.Reason
	}
	return ""
}
