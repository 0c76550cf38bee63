package replay

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// results sums up the events of a run. It is safe for concurrent use.
type results struct {
	onEvent      func(EventReport)
	onCheckpoint func(done int)
	failFast     bool

	mu  sync.Mutex
	sum Report
	// leading is the number of leading steps that are done; ahead has the positions of later ones.
	leading int
	ahead   map[int]bool
}

func newResults(opts Options, done int) *results {
	return &results{
		onEvent: opts.OnEvent, onCheckpoint: opts.OnCheckpoint, failFast: opts.FailFast,
		sum:     Report{ProblemCounts: map[Category]int{}, Replaced: map[schema.GroupVersionKind]int{}},
		leading: done, ahead: map[int]bool{},
	}
}

// add counts an event whose tasks have all ended. If any was dropped, the event is not done, and is
// not reported.
func (r *results) add(e *eventRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := e.report()
	r.sum.Applied += e.applied
	r.sum.Deleted += e.deleted
	for _, p := range e.problems {
		r.problem(p)
	}
	if e.dropped > 0 {
		return
	}
	r.sum.Events++
	r.onEvent(report)
	if r.failFast && slices.ContainsFunc(e.problems, func(p Problem) bool { return p.fails() }) {
		return // a run that continues this one must fail as well
	}
	r.advance(e.position)
}

// done counts an action that is done.
func (r *results) done(position int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.advance(position)
}

// advance counts the step at a position as done. The caller holds the lock.
func (r *results) advance(position int) {
	before := r.leading
	r.ahead[position] = true
	for r.ahead[r.leading] {
		delete(r.ahead, r.leading)
		r.leading++
	}
	if r.leading > before {
		r.onCheckpoint(r.leading)
	}
}

func (r *results) problem(p Problem) {
	r.sum.ProblemCounts[p.Category]++
	if len(r.sum.Problems) < MaxProblems {
		r.sum.Problems = append(r.sum.Problems, p)
	}
}

// replaced counts an object that was deleted and created again.
func (r *results) replaced(gvk schema.GroupVersionKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Replaced[gvk]++
}

func (r *results) cloned() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Clones++
}

func (r *results) report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sum
}
