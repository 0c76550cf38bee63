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
	// realInterval and virtualInterval are the times between two reports, on the clock of the
	// simulation.
	realInterval    = 200 * time.Millisecond
	virtualInterval = 30 * time.Second
	// changesPerReport is the number of changes in the cluster after which progress is reported early:
	// in virtual time a thousand pods may start at once.
	changesPerReport = 250
)

// progress reports how far a session is. What it reports and when depends on the session's clock
// alone, so that a simulation with a seed repeats itself in virtual time. It is safe for concurrent
// use.
type progress struct {
	prepared *Prepared
	recorder *results.Recorder
	pauses   func() []results.Span
	due      chan struct{} // has room for one

	mu      sync.Mutex // guards the rest
	phase   Phase
	detail  string
	times   *results.TimeMap
	changes int // since the last report
}

// newProgress returns a progress. pauses returns when the replay was paused.
func newProgress(p *Prepared, recorder *results.Recorder, pauses func() []results.Span) *progress {
	return &progress{prepared: p, recorder: recorder, pauses: pauses, phase: Starting, due: make(chan struct{}, 1)}
}

// start reports progress until the returned function is called, which waits for the last report.
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

// report makes a report due. The caller holds p.mu.
func (p *progress) report() {
	p.changes = 0
	select {
	case p.due <- struct{}{}:
	default: // a report is due
	}
}

// changed counts a change in the cluster.
func (p *progress) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count()
}

// count is changed for a caller that holds p.mu.
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

// begin sets when the replay starts.
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
