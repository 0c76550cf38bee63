package skel

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// inserted is the event index of objects that are not in the trace that was read.
const inserted = -1

// insertion is an object that the program inserts, as changed by the commands after the insert.
type insertion struct {
	time   int64
	object trace.Object
}

// insertions returns the objects that the program inserts, in time order.
func (r *run) insertions() ([]insertion, error) {
	var out []insertion
	w := r.newWorker()
	for _, i := range r.program.code.Inserted(r.start) {
		obj, err := w.parser.Parse(i.Raw)
		if err != nil {
			return nil, err // not possible after the checks of the program
		}
		w.machine.Event(i.Time)
		w.machine.Count(i.Next - 1)
		outputs, err := w.machine.Apply(&obj, i.Next)
		if err != nil {
			return nil, r.program.failed(inserted, i.Time, &obj, err)
		}
		c := Change{Event: inserted, Time: i.Time}
		for _, o := range outputs {
			made := insertion{r.moved(i.Time, o.Shift), obj}
			if o.Raw != nil {
				if made.object, err = w.parser.Parse(o.Raw); err != nil {
					return nil, r.program.failed(inserted, i.Time, &obj, err)
				}
			}
			out = append(out, made)
			c.After = append(c.After, ChangedObject{&made.object, o.Shift})
		}
		// An object that is inserted and dropped again is not a change.
		if r.opts.OnChange != nil && !r.changesDone && len(outputs) > 0 {
			r.changesDone = !r.opts.OnChange(&c)
		}
	}
	r.summary.add(w.machine)
	slices.SortStableFunc(out, func(a, b insertion) int { return cmp.Compare(a.time, b.time) })
	return out, nil
}

// insertsBefore removes the insertions before a time and returns them as events.
func (r *run) insertsBefore(time int64) []trace.Event {
	var out []trace.Event
	for len(r.inserts) > 0 && r.inserts[0].time < time {
		at := r.inserts[0].time
		out = append(out, trace.Event{Time: at, Applied: r.at(at)})
	}
	return out
}

// at removes the insertions at a time and returns their objects.
func (r *run) at(time int64) []trace.Object {
	var out []trace.Object
	for len(r.inserts) > 0 && r.inserts[0].time == time {
		out = append(out, r.inserts[0].object)
		r.history.added(&r.inserts[0].object)
		r.inserts = r.inserts[1:]
	}
	return out
}

// added records an object whose position among the events is known only now.
func (h *objectHistory) added(obj *trace.Object) {
	h.note(keyOf(obj), obj, true)
}

// withKind returns a config in which a kind is tracked.
func withKind(config trace.Config, gvk schema.GroupVersionKind) trace.Config {
	if _, there := config.TrackedObjects[gvk]; there {
		return config
	}
	tracked := maps.Clone(config.TrackedObjects)
	if tracked == nil {
		tracked = map[schema.GroupVersionKind]trace.TrackedObject{}
	}
	tracked[gvk] = trace.TrackedObject{}
	return trace.Config{TrackedObjects: tracked}
}
