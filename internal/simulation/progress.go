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

// progressInterval is how often progress is reported, on the wall clock.
const progressInterval = 200 * time.Millisecond

// progress knows how far a session is. Its methods may be called concurrently.
type progress struct {
	prepared *Prepared
	recorder *results.Recorder

	mu     sync.Mutex // guards the rest
	phase  Phase
	detail string
	times  *results.TimeMap
}

func newProgress(p *Prepared, recorder *results.Recorder) *progress {
	return &progress{prepared: p, recorder: recorder, phase: Starting}
}

// start reports until the returned function is called, which waits for the last report.
func (p *progress) start(ctx context.Context, clk clock.WithTicker, report func(Message)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := clk.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C():
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
		EventsTotal: p.prepared.info.Events,
		Counts:      counts,
	}
	if p.times == nil || p.phase == Cleaning || p.phase == Reporting {
		return out
	}
	if now.Before(p.times.ClockStart) {
		out.ETA = p.times.ClockStart.Sub(now)
		now = p.times.ClockStart
	} else if p.phase == Aligning {
		p.phase, out.Phase = Replaying, Replaying
	}
	out.TraceTime = p.times.Trace(now)
	if out.TraceTime.After(out.TraceEnd) {
		out.TraceTime = out.TraceEnd
	}
	out.ETA += time.Duration(float64(out.TraceEnd.Sub(out.TraceTime)) / p.prepared.spec.Speed)
	return out
}
