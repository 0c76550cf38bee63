package lifecycle

import (
	"cmp"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// History is what a trace says about the owners of pods: their versions and deletions. It must be
// filled in the order of the trace. It is not safe for concurrent use.
type History struct {
	owners map[ownerKey][]incarnation
}

// Version is what one version of an owner asks for.
type Version struct {
	// Pods is how many pods it has at a time, for a DaemonSet an arbitrary number.
	Pods int
	// Completions is the number of pods that have to complete; 0 means that there is no such number.
	Completions int
	// Template identifies the pod templates.
	Template uint64
	// RunsOn reports whether the containers of the pods are always restarted.
	RunsOn bool
	// GracePeriod is how many seconds a pod has to end.
	GracePeriod int64
}

// incarnation is the time from the creation of an owner to its deletion.
type incarnation struct {
	versions []versionAt // at least one
	// deleted is math.MaxInt64 if there is no deletion.
	deleted int64
}

type versionAt struct {
	time int64
	Version
}

// NewHistory returns an empty history.
func NewHistory() *History { return &History{owners: map[ownerKey][]incarnation{}} }

// Apply adds a version of an owner.
func (h *History) Apply(now int64, owner trace.PodOwner, version Version) {
	key := keyOf(owner)
	all := h.owners[key]
	if n := len(all); n == 0 || all[n-1].deleted != math.MaxInt64 {
		all = append(all, incarnation{deleted: math.MaxInt64})
	}
	last := &all[len(all)-1]
	last.versions = append(last.versions, versionAt{now, version})
	h.owners[key] = all
}

// Delete adds the deletion of an object. Other objects than owners are ignored.
func (h *History) Delete(now int64, gvk schema.GroupVersionKind, namespacedName string) {
	key := keyOf(trace.PodOwner{GVK: gvk, Name: namespacedName})
	h.end(now, h.owners[key])
}

// DeleteNamespace adds the deletion of all owners in a namespace.
func (h *History) DeleteNamespace(now int64, name string) {
	for key, all := range h.owners {
		if in, _ := trace.SplitNamespacedName(key.name); in == name {
			h.end(now, all)
		}
	}
}

func (h *History) end(now int64, all []incarnation) {
	if n := len(all); n > 0 && all[n-1].deleted == math.MaxInt64 {
		all[n-1].deleted = now
	}
}

// of returns the incarnations of an owner, none if nothing is known about it.
func (h *History) of(key ownerKey) []incarnation {
	if h == nil {
		return nil
	}
	return h.owners[key]
}

// Ending is how the pod of a recorded lifecycle ends in a replay.
type Ending uint8

const (
	// RunsOn is the ending of a pod that its controller or the trace deletes, or that does not end.
	RunsOn Ending = iota
	// Completes is the ending of a pod that completes when it has run as long as it was recorded.
	Completes
	// Deleted is the ending of a pod that something outside of the trace deleted, such as an eviction
	// or the loss of a node. Its controller replaces it.
	Deleted
)

// slack is how many seconds the times of a pod and of its owner may differ: they are recorded by
// different clocks, and are whole seconds.
const slack = 2

// endings returns how the pods of an owner end, in the order of their starts. Without a history,
// pods that finished complete.
//
// A pod of a controller that replaces its pods cannot complete. Its end is that of its owner, or
// follows from a change of it, and then the replay's own control plane ends it. Otherwise something
// deleted it, and there is a recorded pod that replaced it.
func endings(kind schema.GroupKind, history []incarnation, list []trace.Lifecycle) []Ending {
	out := make([]Ending, len(list))
	if len(history) == 0 {
		for i, l := range list {
			if l.State == trace.Finished {
				out[i] = Completes
			}
		}
		return out
	}
	for i, part := range split(history, list) {
		if part.from < part.to {
			history[i].endings(kind, list[part.from:part.to], out[part.from:part.to])
		}
	}
	return out
}

// part is the lifecycles of one incarnation: list[from:to].
type part struct{ from, to int }

// split assigns the lifecycles, in the order of their starts, to the incarnations. An owner about
// which nothing is known has one.
func split(history []incarnation, list []trace.Lifecycle) []part {
	if len(history) == 0 {
		return []part{{0, len(list)}}
	}
	parts := make([]part, len(history))
	current, from := 0, 0
	for i, l := range list {
		for l.State != trace.Empty && current+1 < len(history) && history[current+1].versions[0].time <= l.Start+slack &&
			// In the second of a deletion and a creation, a pod belongs to the latter.
			history[current].deleted <= l.Start+slack {
			parts[current] = part{from, i}
			current, from = current+1, i
		}
	}
	parts[current] = part{from, len(list)}
	return parts
}

func (in *incarnation) endings(kind schema.GroupKind, list []trace.Lifecycle, out []Ending) {
	last := in.versions[len(in.versions)-1]
	role := roleOf(kind)
	byController := role == isReplacer || role == isCustom && last.RunsOn
	var replaced []bool
	if byController {
		replaced = in.replaced(kind, list)
	}
	lastStart := int64(math.MinInt64)
	ended := 0
	for _, l := range list {
		if l.State != trace.Empty {
			lastStart = max(lastStart, l.Start)
		}
		if l.State == trace.Finished && l.End <= in.deleted {
			ended++
		}
	}
	scaledDown := in.scaleDowns(role)
	surplus := math.MaxInt // ends of a Job's pods that were no completions, at most
	if role == isJob && last.Pods > 0 && ended >= last.Completions {
		surplus = ended - last.Completions
	}
	for i, l := range list {
		// in.deleted may be the greatest number.
		withOwner := l.End > in.deleted || l.End+last.GracePeriod+slack >= in.deleted && lastStart <= l.End
		switch {
		case l.State != trace.Finished:
			out[i] = RunsOn
		case byController && replaced[i]:
			out[i] = Deleted
		case role == isReplacer:
			out[i] = RunsOn
		case role == isPod:
			out[i] = unless(l.End > in.deleted || withOwner && last.RunsOn)
		case role == isJob:
			early := surplus > 0 && scaledDown.explain(l.End, last.GracePeriod)
			if early {
				surplus--
			}
			out[i] = unless(early || withOwner && ended < last.Completions)
		case role == isCustom:
			out[i] = unless(l.End > in.deleted || withOwner && last.RunsOn || scaledDown.explain(l.End, last.GracePeriod))
		default:
			out[i] = Completes
		}
	}
}

// unless returns Completes unless the pod ends with its owner.
func unless(withOwner bool) Ending {
	if withOwner {
		return RunsOn
	}
	return Completes
}

// role is what a kind of owner does with its pods.
type role uint8

const (
	isCustom   role = iota // unknown
	isReplacer             // replaces every pod that ends
	isJob                  // runs pods until enough have completed
	isCronJob
	isPod
)

func roleOf(kind schema.GroupKind) role {
	switch kind {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "apps", Kind: "ReplicaSet"},
		schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, daemonSet, schema.GroupKind{Kind: "ReplicationController"}:
		return isReplacer
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return isJob
	case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
		return isCronJob
	case schema.GroupKind{Kind: "Pod"}:
		return isPod
	}
	return isCustom
}

// rolls reports whether a controller replaces all pods if the template changes. What the
// controllers of unknown kinds do is not known, so that each recorded pod counts by itself.
func rolls(kind schema.GroupKind) bool {
	switch kind {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, daemonSet:
		return true
	}
	return false
}

var daemonSet = schema.GroupKind{Group: "apps", Kind: "DaemonSet"}

// reductions are how many pods were removed at which times.
type reductions []struct {
	time int64
	pods int
}

// scaleDowns returns the reductions of an owner whose pods complete: a Job that is suspended or has
// a lower parallelism, or an owner of an unknown kind.
func (in *incarnation) scaleDowns(r role) reductions {
	if r != isCustom && r != isJob {
		return nil
	}
	var out reductions
	for i := 1; i < len(in.versions); i++ {
		if fewer := in.versions[i-1].Pods - in.versions[i].Pods; fewer > 0 {
			out = append(out, struct {
				time int64
				pods int
			}{in.versions[i].time, fewer})
		}
	}
	return out
}

// explain reports whether a reduction explains an end, and counts that pod.
func (r reductions) explain(end, grace int64) bool {
	for i := range r {
		if r[i].pods > 0 && r[i].time-slack <= end && end <= r[i].time+grace+slack {
			r[i].pods--
			return true
		}
	}
	return false
}

// replaced reports for each lifecycle whether something outside of the trace deleted the pod, so
// that it was replaced. The starts that the versions of the owner do not explain are those of
// replacements. Each belongs to the pod that ended nearest to it.
func (in *incarnation) replaced(kind schema.GroupKind, list []trace.Lifecycle) []bool {
	out := make([]bool, len(list))
	window := window{before: math.MaxInt64, after: in.versions[len(in.versions)-1].GracePeriod + slack}
	if kind == daemonSet {
		// A later start is that of a new node.
		window.before = maxDaemonDelay
	}
	replacements := in.unexplained(kind, list)
	if len(replacements) == 0 {
		return out
	}
	var ends []int // of list, by time
	for i, l := range list {
		if l.State == trace.Finished {
			ends = append(ends, i)
		}
	}
	slices.SortStableFunc(ends, func(a, b int) int { return cmp.Compare(list[a].End, list[b].End) })
	var before []int // the ends before the replacement that have none yet, the last one on top
	next := 0
	for _, r := range replacements {
		start := list[r].Start
		for ; next < len(ends) && list[ends[next]].End <= start+slack; next++ {
			before = append(before, ends[next])
		}
		for len(before) > 0 && out[before[len(before)-1]] {
			before = before[:len(before)-1]
		}
		if n := len(before); n > 0 && window.has(start, list[before[n-1]].End) {
			out[before[n-1]] = true
			before = before[:n-1]
			continue
		}
		// Controllers replace a pod as soon as it is being deleted, before it has ended.
		for _, i := range ends[next:] {
			if list[i].End > start+window.after {
				break
			}
			if !out[i] && list[i].Start < start {
				out[i] = true
				break
			}
		}
	}
	return out
}

// maxDaemonDelay is how many seconds after the end of a DaemonSet's pod another one starts on the
// node at the latest.
const maxDaemonDelay = 120

// window is how many seconds an end may be before and after the start of a replacement.
type window struct{ before, after int64 }

func (w window) has(start, end int64) bool { return end >= start || start-end <= w.before }

// unexplained returns the indexes of the lifecycles, in the order of their starts, whose pods were
// not made because of a version of the owner.
func (in *incarnation) unexplained(kind schema.GroupKind, list []trace.Lifecycle) []int {
	var out []int
	due, next := 0, 0 // pods that the versions so far make and that have not started
	start := in.versions[0].time
	for i, l := range list {
		if l.State != trace.Empty {
			start = max(start, l.Start)
		}
		for ; next < len(in.versions) && (next == 0 || in.versions[next].time <= start+slack); next++ {
			due = in.due(kind, next, due, list)
		}
		if due > 0 {
			due--
			continue
		}
		if l.State != trace.Empty {
			out = append(out, i)
		}
	}
	return out
}

// due returns how many pods are still to start after a version, if due were before.
func (in *incarnation) due(kind schema.GroupKind, version, due int, list []trace.Lifecycle) int {
	now := in.versions[version]
	if version == 0 {
		if kind == daemonSet {
			return in.nodes(list)
		}
		return now.Pods
	}
	before := in.versions[version-1]
	switch {
	case now.Template != before.Template && rolls(kind):
		if kind == daemonSet {
			return alive(list, now.time)
		}
		return now.Pods
	case now.Pods > before.Pods:
		return due + now.Pods - before.Pods
	}
	return max(0, due-(before.Pods-now.Pods))
}

// nodes returns the greatest number of a DaemonSet's pods at a time before its template changed.
func (in *incarnation) nodes(list []trace.Lifecycle) int {
	until := in.deleted
	for _, version := range in.versions {
		if version.Template != in.versions[0].Template {
			until = version.time
			break
		}
	}
	type change struct {
		time  int64
		delta int
	}
	var changes []change
	for _, l := range list {
		if l.State == trace.Empty || l.Start >= until {
			continue
		}
		changes = append(changes, change{l.Start, 1})
		if l.State == trace.Finished {
			changes = append(changes, change{l.End, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.delta, b.delta)) })
	now, most := 0, 0
	for _, c := range changes {
		now += c.delta
		most = max(most, now)
	}
	return most
}

// alive returns how many pods ran at a time.
func alive(list []trace.Lifecycle, at int64) int {
	n := 0
	for _, l := range list {
		if l.State != trace.Empty && l.Start < at && (l.State == trace.Running || l.End >= at-slack) {
			n++
		}
	}
	return n
}
