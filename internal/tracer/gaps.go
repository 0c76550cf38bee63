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
	// soon is how long ago a kind that is followed may have been sure last, for what is not known
	// yet to be on its way.
	soon = 10 * time.Second
	// pingTimeout is how long an export waits for the API server, where only an answer shows that
	// nothing was lost. pings is how often it asks, looks how often it looks after each whether
	// that is shown, and lookAfter how long it waits for that.
	pingTimeout = 3 * time.Second
	pings       = 4
	looks       = 3
	lookAfter   = 120 * time.Millisecond
	// lookedFor is how long ago a kind that the API server does not have may have been looked for
	// last. It is every minute, if the answer is no.
	lookedFor = 2 * time.Minute
)

// records reports whether something is recorded of the kind. Otherwise, nothing can be missing.
func (f *follower) records() bool { return f.objects != nil || f.pods != nil || f.nodes != nil }

// Gap implements watch.Handler.
func (f *follower) Gap(ctx context.Context, from, to time.Time) error {
	if !f.records() {
		return nil
	}
	level := slog.LevelDebug
	if to.Sub(from) > soon {
		level = slog.LevelWarn
	}
	f.t.logger.Log(ctx, level, "changes may be missing", "kind", f.kind.gvk.GroupKind().String(), "from", from.UTC(), "to", to.UTC())
	f.t.metrics.gaps.WithLabelValues(f.name).Inc()
	gap := log.Gap{From: max(from.UnixMilli(), 0), To: to.UnixMilli()}
	gap.To = max(gap.From, gap.To) // clocks are set back
	return f.t.append(ctx, &gap)
}

// sure returns up to when everything that is recorded was appended to the log, in unix
// milliseconds.
func (t *Tracer) sure() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holding {
		return t.held
	}
	least := t.clock.Now().UnixMilli() // where nothing is recorded nothing is missing
	for _, f := range t.followers {
		if f.records() {
			least = min(least, f.watcher.Sure().UnixMilli())
		}
	}
	return least
}

// hold keeps the log from being taken for complete beyond what it is now, until release: kinds may
// be between two followers.
func (t *Tracer) hold() {
	at := t.sure()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holding, t.held = true, at
}

func (t *Tracer) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holding = false
}

// beginnings returns a function that says up to when everything is recorded of a kind that is
// followed anew: what the log had when it was opened, what the follower before had, or nothing
// until now.
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
			before[gvk] = f.watcher.Sure()
		}
	}
	return func(gvk schema.GroupVersionKind) time.Time {
		if at, ok := before[gvk]; ok {
			return at
		}
		return otherwise
	}
}

// openGap returns since when changes may be missing that the log has no gap for, since it is not
// known yet whether they come; 0 if all is well. Where nothing has come from the API server for a
// while, since nothing happens or since nothing gets through, it is asked.
func (t *Tracer) openGap(ctx context.Context) int64 {
	since, silent := t.unsure()
	if !silent {
		return since
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	for range pings {
		if t.client.Ping(ctx) != nil {
			return since
		}
		for range looks {
			if since, silent = t.unsure(); !silent || sleep(ctx, t.clock, lookAfter) != nil {
				return since
			}
		}
	}
	return since
}

// unsure returns since when changes may be missing, or 0, and whether that could be found out by
// asking the API server.
func (t *Tracer) unsure() (since int64, silent bool) {
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
		at := f.watcher.Sure()
		age := now.Sub(at)
		state := f.watcher.Status().State
		switch {
		case state == watch.Synced && age <= soon, state == watch.Missing && age <= lookedFor:
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
