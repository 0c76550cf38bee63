package replay

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// work is one piece of work for a key of a queue.
type work struct {
	// gate, if not nil, holds the work back until it is opened.
	gate *gate
	// run does the work, or a part of it, and returns what follows.
	run func(ctx context.Context) next
	// drop is called in place of run if the queue was stopped.
	drop func()
}

// next is what follows a run of a piece of work: nothing, or another run, after some time or when a
// gate is opened.
type next struct {
	again bool
	after time.Duration
	gate  *gate
}

// gate holds work back until it is opened.
type gate struct {
	open    bool
	waiting []*line
}

// line is the work for one key. Its head is being run, is held back by a gate, or waits to be run.
type line struct {
	key  objectKey
	work []work
}

// queue runs work with a limited number of workers: in order for each key, and otherwise in the
// order in which it was added. Work that is held back or waits for a retry occupies no worker.
// There are no workers if there is no work.
type queue struct {
	ctx   context.Context //nolint:containedctx // the context of the run that the queue belongs to
	clock clock.Clock
	limit int

	mu      sync.Mutex
	emptied sync.Cond // lines has become empty
	lines   map[objectKey]*line
	ready   []*line
	workers int
	stopped bool // work that has not started is dropped

	running sync.WaitGroup // workers and retries
	unwatch func() bool
}

// newQueue returns a queue with a maximum number of workers. When ctx ends, work that has not
// started is dropped.
func newQueue(ctx context.Context, limit int, clock clock.Clock) *queue {
	q := &queue{ctx: ctx, clock: clock, limit: limit, lines: map[objectKey]*line{}}
	q.emptied.L = &q.mu
	q.unwatch = context.AfterFunc(ctx, q.stop)
	return q
}

// add appends work for a key. It never blocks.
func (q *queue) add(key objectKey, w work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[key]
	if l != nil {
		l.work = append(l.work, w)
		return
	}
	l = &line{key: key, work: []work{w}}
	q.lines[key] = l
	q.schedule(l)
}

// schedule makes a line ready, or adds it to its gate. The caller holds the lock.
func (q *queue) schedule(l *line) {
	if g := l.work[0].gate; g != nil && !g.open && !q.stopped {
		g.waiting = append(g.waiting, l)
		return
	}
	q.makeReady(l)
}

// makeReady makes a line's head run as soon as a worker is free. The caller holds the lock.
func (q *queue) makeReady(l *line) {
	q.ready = append(q.ready, l)
	if q.workers < q.limit {
		q.workers++
		q.running.Go(q.worker)
	}
}

// open opens a gate.
func (q *queue) open(g *gate) {
	q.mu.Lock()
	defer q.mu.Unlock()
	g.open = true
	q.pass(g)
}

func (q *queue) pass(g *gate) {
	for _, l := range g.waiting {
		q.makeReady(l)
	}
	g.waiting = nil
}

func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	for _, l := range q.lines {
		if g := l.work[0].gate; g != nil {
			q.pass(g)
		}
	}
}

// idle waits until there is no work, or ctx ends.
func (q *queue) idle(ctx context.Context) {
	defer context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.emptied.Broadcast()
	})()
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lines) > 0 && ctx.Err() == nil {
		q.emptied.Wait()
	}
}

// drain waits until all work is done or dropped and all goroutines of the queue have ended. Only
// running work may add more.
func (q *queue) drain() {
	q.idle(context.WithoutCancel(q.ctx))
	q.running.Wait()
	q.unwatch()
}

// worker runs lines until none is ready.
func (q *queue) worker() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) > 0 {
		l := q.ready[0]
		q.ready = q.ready[1:]
		q.do(l)
	}
	q.workers--
}

// do runs the head of a line. The caller holds the lock, which is released during the run.
func (q *queue) do(l *line) {
	w, stopped := l.work[0], q.stopped
	q.mu.Unlock()
	var n next
	if stopped {
		w.drop()
	} else {
		n = w.run(q.ctx)
	}
	q.mu.Lock()
	switch {
	case n.again && n.gate != nil:
		l.work[0].gate = n.gate
		q.schedule(l)
		return
	case n.again:
		q.retry(l, n.after)
		return
	}
	l.work[0] = work{}
	l.work = l.work[1:]
	if len(l.work) > 0 {
		q.schedule(l)
		return
	}
	delete(q.lines, l.key)
	if len(q.lines) == 0 {
		q.emptied.Broadcast()
	}
}

// retry makes a line ready after some time, or as soon as the queue is stopped.
func (q *queue) retry(l *line, after time.Duration) {
	timer := q.clock.NewTimer(after)
	q.running.Go(func() {
		defer timer.Stop()
		select {
		case <-timer.C():
		case <-q.ctx.Done():
			q.stop()
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		q.makeReady(l)
	})
}
