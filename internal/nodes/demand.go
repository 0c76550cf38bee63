package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
)

// Demand is what a trace requests of its nodes: its distinct pod templates, and how many pods of
// each exist at any time. It is made by a [Survey], is read-only, and may be shared.
type Demand struct {
	// Start and End are the times of the first and the last event.
	Start, End time.Time
	// Notes are about what cannot be checked before the replay.
	Notes []string

	templates []*podTemplate
	owners    []templateOwners // by template
	steps     []step           // by time
	nodes     map[string]recordedNode
	devices   *deviceObjects
	// volumes has the limits of volumes of the nodes. It is nil if they are not known.
	volumes *volumes.Survey
}

// templateOwners are the objects that have pods of one template, sorted by kind and name.
type templateOwners []Owner

// pods returns the sum of the owners' maximum numbers of pods.
func (o templateOwners) pods() int {
	sum := 0
	for _, owner := range o {
		sum += owner.Pods
	}
	return sum
}

// Demand ends the survey. The lifecycles, which are at the end of a trace, determine when Jobs and
// bare pods finish. A pod without an end is assumed to run until it is deleted.
func (s *Survey) Demand(lifecycles trace.Lifecycles) *Demand {
	demand := &Demand{
		Start:     time.Unix(s.first, 0).UTC(),
		End:       time.Unix(s.last, 0).UTC(),
		Notes:     slices.Clone(s.notes),
		templates: s.templates,
		owners:    make([]templateOwners, len(s.templates)),
		steps:     slices.Clone(s.steps),
		nodes:     maps.Clone(s.nodes),
		devices:   s.devices,
		volumes:   s.volumes,
	}
	for _, r := range s.runs {
		demand.steps = append(demand.steps, step{r.start, int32(r.template), int32(r.replicas)})
		end, ended := r.end, r.ended
		if finish, ok := finishOf(r, lifecycles); ok && (!ended || finish < end) {
			end, ended = max(finish, r.start), true
		}
		if ended {
			demand.steps = append(demand.steps, step{end, int32(r.template), int32(-r.replicas)})
		}
	}
	slices.SortStableFunc(demand.steps, func(a, b step) int { return cmp.Compare(a.time, b.time) })
	for key, pods := range s.usage {
		name := s.owners[key.owner].name
		demand.owners[key.template] = append(demand.owners[key.template], Owner{GVK: name.GVK, Name: name.Name, Pods: pods})
	}
	for _, owners := range demand.owners {
		slices.SortFunc(owners, compareOwners)
	}
	demand.addNotes(s.problems-len(s.notes), s.classes)
	return demand
}

// finishOf returns when the last pod of a run finishes, according to the recorded lifecycles of its
// owner's pods: the replay starts the pods one after the other, as many at a time as the run has
// replicas.
func finishOf(r *run, lifecycles trace.Lifecycles) (int64, bool) {
	byHash := lifecycles[r.owner.name]
	var recorded []trace.Lifecycle
	for _, hash := range slices.Sorted(maps.Keys(byHash)) {
		recorded = append(recorded, byHash[hash]...)
	}
	if len(recorded) == 0 || r.replicas == 0 {
		return 0, false
	}
	slots := make([]int64, min(r.replicas, r.pods))
	if len(slots) == 0 {
		return 0, false
	}
	for i := range r.pods {
		lifecycle := recorded[(r.incarnation*r.pods+i)%len(recorded)]
		if lifecycle.State != trace.Finished {
			return 0, false
		}
		first := 0
		for j, busyUntil := range slots {
			if busyUntil < slots[first] {
				first = j
			}
		}
		slots[first] += max(lifecycle.End-lifecycle.Start, 0)
	}
	return r.created + slices.Max(slots), true
}

// addNotes adds notes about what cannot be checked.
func (d *Demand) addNotes(problemsNotShown int, known map[classRef]bool) {
	if problemsNotShown > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d more versions of objects are left out of the node check", problemsNotShown))
	}
	byRemark := map[string]templateOwners{}
	for i, template := range d.templates {
		for _, remark := range template.remarks {
			byRemark[remark] = append(byRemark[remark], d.owners[i]...)
		}
		for _, class := range template.classes {
			if !known[class] {
				remark := fmt.Sprintf("need the %s %q, which is not in the trace: the API server rejects them unless it is created in another way", class.Kind, class.Name)
				byRemark[remark] = append(byRemark[remark], d.owners[i]...)
			}
		}
	}
	for _, remark := range slices.Sorted(maps.Keys(byRemark)) {
		d.Notes = append(d.Notes, fmt.Sprintf("pods of %s %s", ownerNames(mergeOwners(byRemark[remark])), remark))
	}
}

// snapshot is the demand at one time.
type snapshot struct {
	time time.Time
	// live is the number of pods of each template; for a DaemonSet's template, the number of
	// DaemonSets.
	live []int
	// total is the sum of the requests, without DaemonSets: theirs depend on the number of nodes.
	total amounts
}

// walk calls visit with the demand after every second in which it changed. The snapshot is reused.
func (d *Demand) walk(include func(template int) bool, visit func(*snapshot)) {
	now := &snapshot{live: make([]int, len(d.templates)), total: amounts{}}
	for i := 0; i < len(d.steps); {
		at := d.steps[i].time
		for ; i < len(d.steps) && d.steps[i].time == at; i++ {
			index, delta := int(d.steps[i].template), int(d.steps[i].delta)
			if !include(index) {
				continue
			}
			now.live[index] += delta
			if d.templates[index].perNode {
				continue
			}
			for _, each := range []amounts{d.templates[index].requests, d.templates[index].attached} {
				for name, amount := range each {
					now.total[name] += amount * int64(delta)
				}
			}
		}
		now.time = time.Unix(at, 0).UTC()
		visit(now)
	}
}

// allResources is the key of the peak of all resources together.
const allResources corev1.ResourceName = ""

// peaks returns the first snapshot at which the most of each resource is requested, and the one at
// which the most of all together is requested, counted in nodes of the given size. The snapshots
// are distinct and sorted by time.
func (d *Demand) peaks(include func(template int) bool, size amounts) []snapshot {
	// Two passes, so that only the snapshots that are returned are copied.
	best := map[corev1.ResourceName]float64{}
	times := map[corev1.ResourceName]time.Time{}
	d.walk(include, func(now *snapshot) {
		together := 0.0
		for _, name := range sortedResources(now.total) { // a sum of floats depends on the order
			amount := float64(now.total[name])
			if size[name] > 0 {
				together += amount / float64(size[name])
			}
			if amount > best[name] {
				best[name], times[name] = amount, now.time
			}
		}
		if together > best[allResources] {
			best[allResources], times[allResources] = together, now.time
		}
	})
	wanted := map[time.Time]bool{}
	for _, at := range times {
		wanted[at] = true
	}
	var found []snapshot
	d.walk(include, func(now *snapshot) {
		if wanted[now.time] {
			found = append(found, snapshot{time: now.time, live: slices.Clone(now.live), total: maps.Clone(now.total)})
		}
	})
	return found
}
