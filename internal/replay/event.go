package replay

import (
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// objectKey identifies an object of the trace. What happens to one object happens in order.
type objectKey struct {
	kind            schema.GroupKind
	namespace, name string
}

func keyOf(object *trace.Object) objectKey {
	return objectKey{kind: object.GVK().GroupKind(), namespace: object.Namespace(), name: object.Name()}
}

// eventRun is an event that is prepared or being applied.
type eventRun struct {
	// position is the number of steps before this one, index the number of events.
	position, index int

	time  int64
	due   time.Time
	size  int64
	tasks []*task
	// stages are the ranks that tasks of the event have, in order.
	stages []stage

	mu       sync.Mutex
	open     int // stages whose gates are open
	undone   int
	started  time.Time // when the last object was tried first
	ended    time.Time
	applied  int
	deleted  int
	dropped  int
	problems []Problem
}

// prepareEvent returns the tasks of an event. It does not keep the event's objects.
func (r *run) prepareEvent(position, index int, event *trace.Event) *eventRun {
	e := &eventRun{position: position, index: index, time: event.Time, due: r.schedule.due(event.Time)}
	r.builder.define(event)
	for i := range event.Applied {
		if inEveryCluster(&event.Applied[i]) || r.leaves(&event.Applied[i], Apply) {
			continue
		}
		e.tasks = append(e.tasks, r.prepareTask(e, &event.Applied[i], i, Apply))
	}
	for i := range event.Deleted {
		if r.leaves(&event.Deleted[i], Delete) {
			continue
		}
		e.tasks = append(e.tasks, r.prepareTask(e, &event.Deleted[i], len(event.Applied)+i, Delete))
	}
	e.tasks = arrange(e.tasks, r.plan.turns(index, event))
	e.stages = stagesOf(e.tasks)
	for _, t := range e.tasks {
		e.size += int64(len(t.body)) + taskOverhead
	}
	e.size = min(e.size, preparedBytes)
	e.undone = len(e.tasks)
	e.advance()
	for i := range e.open {
		e.stages[i].gate.open = true
	}
	return e
}

// leaves reports whether an object of the trace is neither applied nor deleted.
func (r *run) leaves(object *trace.Object, verb Verb) bool {
	return r.excluded.Leaves(object) != nil || r.builder.recorded.omits(object, verb)
}

func (e *eventRun) deadline() time.Time { return e.due }
func (e *eventRun) bytes() int64        { return e.size }

// start hands the tasks to the queue.
func (e *eventRun) start(r *run, due time.Time) {
	e.due = due
	if len(e.tasks) == 0 {
		e.started, e.ended = r.opts.Clock.Now(), r.opts.Clock.Now()
		r.finish(e)
		return
	}
	tasks := e.tasks
	e.tasks = nil
	for _, t := range tasks {
		r.queue.add(t.key, work{gate: &e.stages[t.stage].gate, run: t.run, drop: t.drop})
	}
}

// inEveryCluster reports whether Kubernetes itself creates the object, the same in every cluster,
// and rejects others: a priority class whose name begins with system-.
func inEveryCluster(object *trace.Object) bool {
	gvk := object.GVK()
	return gvk.Group == "scheduling.k8s.io" && gvk.Kind == "PriorityClass" && strings.HasPrefix(object.Name(), "system-")
}

// taskOverhead is about how much memory a task takes in addition to its body.
const taskOverhead = 512

// tried counts a task that others wait for, and returns the gates to open.
func (e *eventRun) tried(t *task) []*gate {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stages[t.holds].untried--
	before := e.open
	e.advance()
	var gates []*gate
	for i := before; i < e.open; i++ {
		gates = append(gates, &e.stages[i].gate)
	}
	return gates
}

// advance counts the stages that have their turn. The caller holds the lock, or has the event for
// itself.
func (e *eventRun) advance() {
	for e.open < len(e.stages) && (e.open == 0 || e.stages[e.open-1].untried == 0) {
		e.open++
	}
}

// record adds the outcome of a task, and reports whether it was the last.
func (e *eventRun) record(t *task, o outcome, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.undone--
	e.ended = now
	if sent := t.sent.Add(-t.after); sent.After(e.started) {
		e.started = sent
	}
	switch {
	case o.dropped:
		e.dropped++
	case o.skipped:
	case o.problem != nil:
		e.problems = append(e.problems, *o.problem)
	case t.verb == Apply:
		e.applied++
	default:
		e.deleted++
	}
	return e.undone == 0
}

func (e *eventRun) report() EventReport {
	started := e.started
	if started.IsZero() {
		started = e.ended
	}
	return EventReport{
		Index: e.index, TraceTime: time.Unix(e.time, 0).UTC(), Due: e.due,
		Started: started, Done: e.ended, Lag: max(0, started.Sub(e.due)),
		Applied: e.applied, Deleted: e.deleted, Problems: e.problems,
	}
}
