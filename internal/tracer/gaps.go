package tracer

import (
	"context"
	"log/slog"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/watch"
)

const (
	// maxLag is how far a kind that is followed may be behind before missing changes are no longer
	// expected to arrive.
	maxLag = 10 * time.Second
	// pingTimeout is how long an export waits for the API server if only a response can prove that
	// nothing was lost. maxPings is the number of requests, maxChecks the number of checks after each
	// whether that is proven, and checkEvery the wait before each.
	pingTimeout = 3 * time.Second
	maxPings    = 4
	maxChecks   = 3
	checkEvery  = 120 * time.Millisecond
	// maxMissingAge is the maximum age of the last request for a kind that the API server does not
	// have. It is requested every minute.
	maxMissingAge = 2 * time.Minute
)

// records reports whether something is recorded of the kind. Otherwise nothing can be missing.
func (f *follower) records() bool { return f.objects != nil || f.pods != nil || f.nodes != nil }

// Gap implements watch.Handler.
func (f *follower) Gap(ctx context.Context, from, to time.Time) error {
	if !f.records() {
		return nil
	}
	level := slog.LevelDebug
	if to.Sub(from) > maxLag {
		level = slog.LevelWarn
	}
	f.t.logger.Log(ctx, level, "changes may be missing", "kind", f.kind.gvk.GroupKind().String(), "from", from.UTC(), "to", to.UTC())
	f.t.metrics.gaps.WithLabelValues(f.name).Inc()
	gap := log.Gap{From: max(from.UnixMilli(), 0), To: to.UnixMilli()}
	gap.To = max(gap.From, gap.To) // a clock may be set back
	return f.t.append(ctx, &gap)
}

// completeUntil returns the time until which everything that is recorded was appended to the log,
// in unix milliseconds.
func (t *Tracer) completeUntil() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holding {
		return t.held
	}
	earliest := t.clock.Now().UnixMilli() // where nothing is recorded nothing is missing
	for _, f := range t.followers {
		if f.records() {
			earliest = min(earliest, f.watcher.CompleteUntil().UnixMilli())
		}
	}
	return earliest
}

// hold keeps completeUntil at its present value until release, because kinds may be between two
// followers.
func (t *Tracer) hold() {
	at := t.completeUntil()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holding, t.held = true, at
}

func (t *Tracer) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holding = false
}

// beginnings returns a function that returns the time until which everything of a kind is recorded,
// for a new follower: that of the log when it was opened, that of the previous follower, or now.
func (t *Tracer) beginnings() func(schema.GroupVersionKind) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	otherwise := t.clock.Now()
	if !t.began {
		t.began, otherwise = true, time.UnixMilli(t.log.CompleteAtOpen())
	}
	before := map[schema.GroupVersionKind]time.Time{}
	for gvk, f := range t.followers {
		if f.records() {
			before[gvk] = f.watcher.CompleteUntil()
		}
	}
	return func(gvk schema.GroupVersionKind) time.Time {
		if at, ok := before[gvk]; ok {
			return at
		}
		return otherwise
	}
}

// openGap returns the time, in unix milliseconds, from which changes may be missing for which the
// log has no gap, since it is not known yet whether they will arrive; 0 if there is none. If the
// API server has been silent for a while, which may mean no changes or no connection, openGap sends
// it a request.
func (t *Tracer) openGap(ctx context.Context) int64 {
	since, silent := t.incompleteSince()
	if !silent {
		return since
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	for range maxPings {
		if t.client.Ping(ctx) != nil {
			return since
		}
		for range maxChecks {
			if since, silent = t.incompleteSince(); !silent || sleep(ctx, t.clock, checkEvery) != nil {
				return since
			}
		}
	}
	return since
}

// incompleteSince returns the time from which changes may be missing, or 0, and whether a request
// to the API server could prove the opposite.
func (t *Tracer) incompleteSince() (since int64, silent bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holding {
		return t.held, false
	}
	now := t.clock.Now()
	for _, f := range t.followers {
		if !f.records() {
			continue
		}
		at := f.watcher.CompleteUntil()
		age := now.Sub(at)
		state := f.watcher.Status().State
		switch {
		case state == watch.Synced && age <= maxLag, state == watch.Missing && age <= maxMissingAge:
			continue
		case state == watch.Synced:
			silent = true
		}
		if ms := at.UnixMilli(); since == 0 || ms < since {
			since = ms
		}
	}
	return since, silent
}
