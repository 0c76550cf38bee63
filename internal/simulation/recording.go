package simulation

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/trace"
)

// The times by which the lengths of pods may differ from the recorded ones: recorded times have
// whole seconds, and on the wall clock the control plane takes time, too.
const (
	roundingTolerance = 3 * time.Second
	realTolerance     = 5 * time.Second // of the clock
)

// groupOf returns the name of the group of pods with the lifecycles of an owner. It has no version,
// as lifecycles are looked up without it.
func groupOf(owner trace.PodOwner) string {
	return owner.GVK.GroupKind().String() + " " + owner.Name
}

// recordedOwners returns what was recorded of pods, by owner. asked is how many pods the owners ask
// for.
func recordedOwners(lifecycles trace.Lifecycles, asked map[objectName]int) []results.RecordedOwner {
	byGroup := map[string]*results.RecordedOwner{}
	for owner, byHash := range lifecycles {
		group := groupOf(owner)
		o := byGroup[group]
		if o == nil {
			o = &results.RecordedOwner{Group: group, Owner: resultsOwner(owner)}
			byGroup[group] = o
		}
		o.Asked = max(o.Asked, asked[objectName{owner.GVK.GroupKind(), owner.Name}])
		for _, list := range byHash {
			for _, l := range list {
				switch l.State {
				case trace.Running:
					o.Pods = append(o.Pods, results.Lifetime{Start: time.Unix(l.Start, 0).UTC()})
				case trace.Finished:
					o.Pods = append(o.Pods, results.Lifetime{
						Start: time.Unix(l.Start, 0).UTC(), End: time.Unix(max(l.Start, l.End), 0).UTC(),
					})
				default:
					o.Unstarted++
				}
			}
		}
	}
	out := make([]results.RecordedOwner, 0, len(byGroup))
	for _, o := range byGroup {
		out = append(out, *o)
	}
	slices.SortFunc(out, func(a, b results.RecordedOwner) int { return strings.Compare(a.Group, b.Group) })
	return out
}

// resultsOwner returns the owner as the results name it.
func resultsOwner(owner trace.PodOwner) results.Owner {
	namespace, name, ok := strings.Cut(owner.Name, "/")
	if !ok {
		namespace, name = "", owner.Name
	}
	return results.Owner{Namespace: namespace, Kind: owner.GVK.Kind, Name: name}
}

// groupPods returns a function that returns the group of recorded pods that a pod is compared with.
func groupPods(mutator *mutate.Mutator) func(*corev1.Pod) string {
	return func(pod *corev1.Pod) string {
		owner, ok := mutator.RecordedOwner(pod)
		if !ok {
			return ""
		}
		return groupOf(owner)
	}
}

// recording returns what the pods of a run are compared with. It is nil for a run that an earlier
// process began, whose pods are not all known, and for one without recorded pods. ended is when a
// replay was ended early, in trace time, or zero.
func (s *session) recording(ended time.Time) *results.Recording {
	if s.Start.Resume != nil || len(s.recorded) == 0 {
		return nil
	}
	d := s.spec.Delays
	r := &results.Recording{
		Owners:    s.recorded,
		Start:     time.Unix(s.origin, 0).UTC(),
		End:       time.Unix(s.end, 0).UTC(),
		Whole:     ended.IsZero() && s.spec.Duration == 0,
		Tolerance: roundingTolerance + max(d.ImagePull, d.ImagePullJitter) + max(d.PodStartup, d.PodStartupJitter),
	}
	if !ended.IsZero() && ended.Before(r.End) {
		r.End = ended
	}
	if s.spec.Time != Virtual {
		r.Tolerance += time.Duration(float64(realTolerance) * cmp.Or(s.spec.Speed, 1))
		if s.spec.Speed != 1 {
			r.UnevenSchedule = cronJobWarning(s.spec.Speed)
		}
	}
	return r
}

// recordedNamespace returns the name of a namespace in the recording, and whether it belongs to the
// simulation.
func (s *session) recordedNamespace(namespace string) (string, bool) {
	if !s.spec.ExistingNodes {
		return namespace, true
	}
	return s.namespaces.Recorded(namespace)
}

// simulatedNamespace returns the name of a namespace of the recording in the cluster.
func (s *session) simulatedNamespace(recorded string) string {
	if !s.spec.ExistingNodes {
		return recorded
	}
	return s.namespaces.Simulated(recorded)
}
