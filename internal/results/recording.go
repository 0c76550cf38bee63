package results

import (
	"slices"
	"time"
)

// Recording is what the replay's pods are compared with.
type Recording struct {
	// Owners are the owners with recorded pods.
	Owners []RecordedOwner
	// Start and End are the first and the last time that is replayed, in trace time.
	Start, End time.Time
	// Whole reports whether the replay was not ended early: pods that the recording has up to End
	// must then have run.
	Whole bool
	// Tolerance is by how much the length of a pod may differ from the recorded one, in trace time.
	Tolerance time.Duration
	// UnevenSchedule is why CronJobs started Jobs at other times than recorded; it is empty if they
	// did not.
	UnevenSchedule string
}

// cutTolerance is how long before the end of a replay that was ended early a pod need not have
// started, and before the end of every replay an additional pod may have started.
const cutTolerance = 30 * time.Second

// startTime is how long a recorded pod may have taken to start. In a replay that ends before the
// recording, a pod may have started that was recorded as running this much later.
const startTime = 5 * time.Minute

// RecordedOwner is what was recorded of the pods of one owner.
type RecordedOwner struct {
	// Group is the name of the group of these pods, see [Recorder.GroupPods].
	Group string
	Owner Owner
	Pods  []Lifetime
	// Unstarted counts recorded pods that were never seen running.
	Unstarted int
	// Asked is the largest number of pods that the trace's specifications ask for: at once, or, for a
	// Job, in all. It is 0 if it is not known.
	Asked int
}

// Lifetime is when a recorded pod ran, in trace time.
type Lifetime struct {
	Start time.Time
	// End is zero if the pod was still running at the end of the recording.
	End time.Time
}

// runsOn reports whether the pod was still running at the end of the recording.
func (l Lifetime) runsOn() bool { return l.End.IsZero() }

// peak returns the most recorded pods at once.
func (o *RecordedOwner) peak() int {
	type change struct {
		at    time.Time
		delta int
	}
	var changes []change
	for _, l := range o.Pods {
		changes = append(changes, change{l.Start, 1})
		if !l.runsOn() {
			changes = append(changes, change{l.End, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.delta - b.delta // one pod replaces another
	})
	now, peak := 0, 0
	for _, c := range changes {
		now += c.delta
		peak = max(peak, now)
	}
	return peak
}

// Kinds of owners of pods.
const (
	kindCronJob               = "CronJob"
	kindDaemonSet             = "DaemonSet"
	kindDeployment            = "Deployment"
	kindJob                   = "Job"
	kindReplicaSet            = "ReplicaSet"
	kindReplicationController = "ReplicationController"
	kindStatefulSet           = "StatefulSet"
)

// asksForMore reports whether the trace asks for more pods than were recorded, as after a change of
// the replicas. Then more pods are no difference.
func (o *RecordedOwner) asksForMore() bool {
	if o.Owner.Kind == kindJob {
		return o.Asked > len(o.Pods)
	}
	return o.Asked > o.peak()
}

// asksForFewer reports whether the trace asks for fewer pods than were recorded, other than those
// that an update adds for a while.
func (o *RecordedOwner) asksForFewer() bool {
	return o.Asked > 0 && o.Owner.Kind != kindJob && o.peak() > 2*o.Asked
}

// bounds returns how many pods must run at least and may run at most.
func (o *RecordedOwner) bounds(r *Recording) (least, most int) {
	most = o.Unstarted
	for _, l := range o.Pods {
		if l.Start.After(r.End.Add(max(r.Tolerance, startTime))) {
			continue
		}
		most++
		switch {
		case l.Start.After(r.End), !r.Whole && l.Start.After(r.End.Add(-max(r.Tolerance, cutTolerance))):
		case !l.runsOn() && l.End.Before(r.Start):
		default:
			least++
		}
	}
	return least, most
}
