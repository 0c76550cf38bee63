package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/trace"
)

// Demand is what a trace asks of its nodes: the distinct pods in it and how many of each live at any time. A
// [Survey] makes it. It is read-only and may be shared.
type Demand struct {
	// Start and End are the times of the first and the last event.
	Start, End time.Time
	// Notes tell what cannot be judged before the replay.
	Notes []string

	templates []*podTemplate
	owners    []templateOwners // by template
	steps     []step           // by time
}

// templateOwners are the objects that have pods of one template, sorted by kind and name.
type templateOwners []Owner

// pods sums up the most pods each owner has.
func (o templateOwners) pods() int {
	sum := 0
	for _, owner := range o {
		sum += owner.Pods
	}
	return sum
}

// Demand ends the survey. The lifecycles, which stand at the end of a trace, tell when Jobs and bare pods finish;
// one without an end is taken to run until it is deleted.
func (s *Survey) Demand(lifecycles trace.Lifecycles) *Demand {
	demand := &Demand{
		Start:     time.Unix(s.first, 0).UTC(),
		End:       time.Unix(s.last, 0).UTC(),
		Notes:     slices.Clone(s.notes),
		templates: s.templates,
		owners:    make([]templateOwners, len(s.templates)),
		steps:     slices.Clone(s.steps),
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
	demand.remark(s.problems-len(s.notes), s.classes)
	return demand
}

// finishOf computes when the last pod of a run finishes, given the recorded lifecycles of its owner's pods: the
// replay starts the pods one after the other, as many at a time as the run has replicas.
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
		// The slot that is free first takes the next pod.
		first := 0
		for j, busyUntil := range slots {
			if busyUntil < slots[first] {
				first = j
			}
		}
		slots[first] += max(lifecycle.End-lifecycle.Start, 0)
	}
	return r.born + slices.Max(slots), true
}

// remark adds the notes about what cannot be judged.
func (d *Demand) remark(problemsNotShown int, known map[classRef]bool) {
	if problemsNotShown > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d more versions of objects are left out of the judgement of nodes", problemsNotShown))
	}
	byRemark := map[string]templateOwners{}
	for i, template := range d.templates {
		for _, remark := range template.remarks {
			byRemark[remark] = append(byRemark[remark], d.owners[i]...)
		}
		for _, class := range template.classes {
			if !known[class] {
				remark := fmt.Sprintf("need the %s %q, which the trace does not hold: they are refused unless it comes from elsewhere", class.Kind, class.Name)
				byRemark[remark] = append(byRemark[remark], d.owners[i]...)
			}
		}
	}
	for _, remark := range slices.Sorted(maps.Keys(byRemark)) {
		d.Notes = append(d.Notes, fmt.Sprintf("pods of %s %s", ownerNames(mergeOwners(byRemark[remark])), remark))
	}
}

// moment is the demand at one time.
type moment struct {
	time time.Time
	// live has the number of pods of each template; for a DaemonSet's, the number of DaemonSets.
	live []int
	// total sums what is requested, without DaemonSets: those depend on the number of nodes.
	total amounts
}

// walk calls visit with the demand after every second in which it changed. The moment is reused.
func (d *Demand) walk(include func(template int) bool, visit func(*moment)) {
	now := &moment{live: make([]int, len(d.templates)), total: amounts{}}
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
			for name, amount := range d.templates[index].requests {
				now.total[name] += amount * int64(delta)
			}
		}
		now.time = time.Unix(at, 0).UTC()
		visit(now)
	}
}

// allResources stands for all of them together in a list of peaks.
const allResources corev1.ResourceName = ""

// peaks finds the first moment at which most of each resource is requested, and the one at which most is requested
// of all together, counted in nodes of the given size. The moments are distinct and in the order of time.
func (d *Demand) peaks(include func(template int) bool, size amounts) []moment {
	// Two passes, so that only the moments that are kept are copied.
	best := map[corev1.ResourceName]float64{}
	times := map[corev1.ResourceName]time.Time{}
	d.walk(include, func(now *moment) {
		together := 0.0
		for _, name := range sortedResources(now.total) { // in order: a sum of floats depends on it
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
	var found []moment
	d.walk(include, func(now *moment) {
		if wanted[now.time] {
			found = append(found, moment{time: now.time, live: slices.Clone(now.live), total: maps.Clone(now.total)})
		}
	})
	return found
}
