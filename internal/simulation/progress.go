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

const (
	// realInterval and virtualInterval are how much of the clock's time passes between two reports.
	realInterval    = 200 * time.Millisecond
	virtualInterval = 30 * time.Second
	// changesPerReport is after how many changes in the cluster there is a report although little time has passed: in virtual
	// time a thousand pods may start in none.
	changesPerReport = 250
)

// progress knows how far a session is, and tells by itself. What it tells and when depends on the session's clock alone, since in
// virtual time the simulation has no notion of a fifth of a second, and one that is to repeat itself must not be
// interrupted at whatever moment. Its methods may be called concurrently.
type progress struct {
	prepared *Prepared
	recorder *results.Recorder
	pauses   func() []results.Span
	due      chan struct{} // has room for one

	mu      sync.Mutex // guards the rest
	phase   Phase
	detail  string
	times   *results.TimeMap
	changes int // since the last report they led to
}

// newProgress returns a progress. pauses returns when the replay was paused.
func newProgress(p *Prepared, recorder *results.Recorder, pauses func() []results.Span) *progress {
	return &progress{prepared: p, recorder: recorder, pauses: pauses, phase: Starting, due: make(chan struct{}, 1)}
}

// start reports from time to time, until the returned function is called, which waits for the last report.
func (p *progress) start(ctx context.Context, clk clock.WithTicker, report func(Message)) (stop func()) {
	interval := realInterval
	if p.prepared.spec.Time == Virtual {
		interval = virtualInterval
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	ticker := clk.NewTicker(interval)
	go func() {
		defer close(done)
		defer ticker.Stop()
		for {
			select {
			case <-p.due:
			case <-ticker.C():
			case <-ctx.Done():
				return
			}
			report(Message{Progress: p.now(clk.Now())})
		}
	}()
	return func() { cancel(); <-done }
}

// report is called with p.mu held.
func (p *progress) report() {
	p.changes = 0
	select {
	case p.due <- struct{}{}:
	default: // one is due already
	}
}

// changed tells of a change in the cluster.
func (p *progress) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count()
}

// count is called with p.mu held.
func (p *progress) count() {
	if p.changes++; p.changes >= changesPerReport {
		p.report()
	}
}

func (p *progress) enter(phase Phase) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phase, p.detail = phase, ""
	p.report()
}

// begin tells when the replay starts.
func (p *progress) begin(times results.TimeMap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times = &times
}

func (p *progress) nodes(n nodes.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.detail = fmt.Sprintf("%d of %d ready", n.Ready, n.Total)
	p.count()
}

func (p *progress) remaining(left replay.Remaining) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.detail = left.String()
	p.report()
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
	times := *p.times
	times.Pauses = p.pauses()
	out.TraceTime = times.Trace(now)
	if out.TraceTime.After(out.TraceEnd) {
		out.TraceTime = out.TraceEnd
	}
	if p.prepared.spec.Time != Virtual {
		out.ETA += time.Duration(float64(out.TraceEnd.Sub(out.TraceTime)) / p.prepared.spec.Speed)
	}
	return out
}
