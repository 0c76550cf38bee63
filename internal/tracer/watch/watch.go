package watch

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"simkube.io/simkube/trace"
)

// Options are the options of New. The zero value is valid.
type Options struct {
	// Observer is notified of what the Watcher does. It may be nil.
	Observer Observer
	// Clock measures waits. Nil means the real clock.
	Clock clock.WithTicker
	// Logger logs errors, and the recovery from them. It may be nil.
	Logger *slog.Logger
	// Since is the time until which the handler knows every change. Zero means the time of New.
	Since time.Time
}

// Watcher follows the objects of one kind in all namespaces. Status may be called at any time.
type Watcher struct {
	client  *Client
	kind    schema.GroupVersionKind
	handler Handler
	clock   clock.WithTicker
	log     *slog.Logger
	tracker tracker
	horizon horizon

	// The following fields are used only by the goroutine of Run.

	// path is the path of the objects; empty if it is not known yet.
	path string
	// version is the resource version until which all changes were passed on; empty before the first
	// complete list.
	version string
	// pagedUntil is until when lists are requested in pages.
	pagedUntil time.Time
	// unfinished is the number of streamed lists in a row that did not reach their end.
	unfinished int
	// expired is the number of lists in pages in a row whose pages expired.
	expired int
	// absent is since when the API server has not had the kind; zero if it has it as far as is known.
	// gapReported is whether the handler was notified.
	absent      time.Time
	gapReported bool
	// stuck is the number of attempts in a row at the same version that ended with an error of the API
	// server.
	stuck int
	// quick is the backoff before another attempt, relist before all objects are listed again, slow
	// after errors that a person must fix.
	quick, relist, slow backoff
	frames              frameReader
}

// New returns a Watcher of a kind. It is idle until Run is called.
func New(client *Client, kind schema.GroupVersionKind, handler Handler, opts Options) *Watcher {
	if opts.Observer == nil {
		opts.Observer = noObserver{}
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Since.IsZero() {
		opts.Since = opts.Clock.Now()
	}
	return &Watcher{
		client:  client,
		kind:    kind,
		handler: handler,
		clock:   opts.Clock,
		log:     opts.Logger.With("kind", trace.FormatGVK(kind)),
		tracker: tracker{
			clock: opts.Clock, observer: opts.Observer,
			status: Status{Kind: kind, State: Starting, Since: opts.Clock.Now()},
		},
		horizon: horizon{clock: opts.Clock, until: opts.Since},
		quick:   backoff{min: minQuick, max: maxQuick},
		relist:  backoff{min: minQuick, max: maxQuick},
		slow:    backoff{min: minSlow, max: maxSlow},
	}
}

// Kind returns the kind that the Watcher follows.
func (w *Watcher) Kind() schema.GroupVersionKind { return w.kind }

// Status returns the status of the Watcher. It is safe for concurrent use.
func (w *Watcher) Status() Status { return w.tracker.get() }

// CompleteUntil returns the time until which every change that the API server acknowledged was
// passed on; without errors it is some seconds ago. It is safe for concurrent use.
func (w *Watcher) CompleteUntil() time.Time { return w.horizon.get() }

// Run passes on the existing objects and the changes until ctx is done, and then returns nil, or
// until the handler returns an error, which Run returns. Errors of the API server are reported in
// the status, and the failed attempt is repeated. Run must be called only once.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.tracker.enter(Stopped)
	for ctx.Err() == nil {
		began := w.clock.Now()
		w.tracker.update(func(s *Status) { s.Retry = time.Time{} })
		end := w.attempt(ctx)
		if end.reason == Absent && w.path == "" {
			end = w.missing(ctx, began, end)
		} else if end.reason == Absent {
			w.absent, w.gapReported = time.Time{}, false
		}
		if ctx.Err() != nil {
			return nil
		}
		if end.handler {
			return fmt.Errorf("handle %s: %w", w.kind.Kind, end.err)
		}
		wait := w.retryWait(end, w.clock.Since(began))
		w.tracker.ended(end, wait)
		if wait > 0 && !w.sleep(ctx, wait) {
			return nil
		}
	}
	return nil
}

// attempt lists or watches until an error or the end of the watch.
func (w *Watcher) attempt(ctx context.Context) *ending {
	if w.path == "" {
		path, end := w.client.find(ctx, w.clock, w.kind)
		if end != nil {
			return end
		}
		w.path = path
	}
	if w.version != "" {
		return w.watch(ctx, false)
	}
	if w.unfinished >= maxUnfinished {
		w.pagedUntil, w.unfinished = w.clock.Now().Add(pagedFor), 0
	}
	if !w.clock.Now().Before(w.pagedUntil) {
		return w.watch(ctx, true)
	}
	if end := w.list(ctx); end != nil {
		return end
	}
	return w.watch(ctx, false)
}

// retryWait updates the state after an attempt that lasted a time has ended, and returns the wait
// before the next one.
func (w *Watcher) retryWait(end *ending, lasted time.Duration) time.Duration {
	if lasted >= healthy {
		w.quick.reset()
		w.slow.reset()
	}
	if lasted >= listed {
		w.relist.reset()
	}
	state, wait := Reconnecting, &w.quick
	switch end.reason {
	case Closed:
		if w.version != "" && lasted >= time.Second {
			return 0 // the regular end of a watch
		}
	case Expired:
		if w.version != "" {
			wait = &w.relist // the API server is available again; changes are lost until the next list
		}
		w.version = ""
	case Absent:
		// When a kind is removed, its objects are deleted first. Deletions that were missed are noticed
		// by the list when the kind is back.
		w.path, w.version = "", ""
		state, wait = Missing, &w.slow
	case Refused:
		state, wait = Forbidden, &w.slow
	case Unsupported:
		w.pagedUntil, w.unfinished = w.clock.Now().Add(pagedFor), 0
		w.log.Info("list in pages", "reason", end.Error())
		return 0
	case Failed:
		if w.stuck++; w.stuck >= maxStuck {
			w.version, w.stuck = "", 0
		}
	}
	if w.tracker.enter(state) {
		w.log.Warn("not up to date", "state", string(state), "error", end.Error())
	}
	return max(wait.next(), end.wait)
}

// absentFor is how long the API server has to lack a kind before the kind counts as missing, since
// an API server that is starting lacks it, too.
const absentFor = time.Minute

// missing handles that the API server did not have the kind at the time of the request. A missing
// kind has no changes.
func (w *Watcher) missing(ctx context.Context, asked time.Time, end *ending) *ending {
	switch {
	case w.absent.IsZero():
		w.absent = asked
		return end
	case asked.Sub(w.absent) < absentFor:
		return end
	case !w.gapReported:
		if err := w.handler.Gap(ctx, w.horizon.get(), asked); err != nil {
			return byHandler(err)
		}
		w.gapReported = true
	}
	w.horizon.listed(asked)
	return end
}

// listed handles the end of a list that was requested at a time. Changes before it may never have
// been passed on, if they are after the time until which all changes were.
func (w *Watcher) listed(ctx context.Context, mode Mode, asked time.Time) *ending {
	if err := w.handler.Complete(ctx); err != nil {
		return byHandler(err)
	}
	if err := w.handler.Gap(ctx, w.horizon.get(), w.clock.Now()); err != nil {
		return byHandler(err)
	}
	w.absent, w.gapReported = time.Time{}, false
	w.horizon.listed(asked)
	w.synced(mode)
	return nil
}

// progress records that all changes until a version were passed on.
func (w *Watcher) progress(version string) {
	w.version, w.stuck = version, 0
}

// synced records the end of a list.
func (w *Watcher) synced(mode Mode) {
	w.tracker.listed(mode)
	w.tracker.enter(Synced)
	w.log.Info("up to date", "list", string(mode))
}

// what returns the name of the kind, for errors.
func (w *Watcher) what() string { return w.kind.GroupKind().String() }

// sleep waits, and reports whether ctx is not done.
func (w *Watcher) sleep(ctx context.Context, wait time.Duration) bool {
	timer := w.clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}
