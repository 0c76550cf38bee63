package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
)

// progress knows how far a session is. Its methods may be called concurrently.
type progress struct {
	prepared *Prepared
	recorder *results.Recorder
	wall     func() time.Duration

	mu     sync.Mutex // guards the rest
	phase  Phase
	detail string
	times  *results.TimeMap
	// began is how far the wall clock was when the replay began.
	began time.Duration
}

func newProgress(p *Prepared, recorder *results.Recorder, wall func() time.Duration) *progress {
	return &progress{prepared: p, recorder: recorder, wall: wall, phase: Starting}
}

// start reports whenever it is asked, until the returned function is called, which waits for the last report.
func (p *progress) start(ctx context.Context, clk clock.PassiveClock, asked <-chan struct{}, report func(Message)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-asked:
				report(Message{Progress: p.now(clk.Now())})
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (p *progress) enter(phase Phase) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.detail = phase, ""
}

// begin tells when the replay starts.
func (p *progress) begin(times results.TimeMap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times = &times
	p.began = p.wall()
}

func (p *progress) nodes(n nodes.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.detail = fmt.Sprintf("%d of %d ready", n.Ready, n.Total)
}

func (p *progress) remaining(left replay.Remaining) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.detail = left.String()
}

func (p *progress) now(now time.Time) *Progress {
	counts := p.recorder.Counts()
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &Progress{
		Phase:       p.phase,
		Detail:      p.detail,
		TraceStart:  time.Unix(p.prepared.origin, 0).UTC(),
		TraceEnd:    time.Unix(p.prepared.end, 0).UTC(),
		Events:      counts.Events,
		EventsTotal: p.prepared.events,
		Counts:      counts,
	}
	if p.times == nil || p.phase == Cleaning || p.phase == Reporting {
		return out
	}
	if now.Before(p.times.ClockStart) {
		if p.prepared.spec.Time != Virtual {
			out.ETA = p.times.ClockStart.Sub(now)
		}
		now = p.times.ClockStart
	} else if p.phase == Aligning {
		p.phase, out.Phase = Replaying, Replaying
	}
	out.TraceTime = p.times.Trace(now)
	if out.TraceTime.After(out.TraceEnd) {
		out.TraceTime = out.TraceEnd
	}
	left, passed := out.TraceEnd.Sub(out.TraceTime), out.TraceTime.Sub(out.TraceStart)
	switch {
	case p.prepared.spec.Time != Virtual:
		out.ETA += time.Duration(float64(left) / p.prepared.spec.Speed)
	case passed > 0:
		// In virtual time the pace so far is all there is to go by.
		out.ETA = time.Duration(float64(left) / float64(passed) * float64(p.wall()-p.began))
	}
	return out
}
