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

// Options are what New can be told. The zero value works.
type Options struct {
	// Observer is told what happens. Nil: nobody is.
	Observer Observer
	// Clock is what waits are measured with. Nil: the real one.
	Clock clock.WithTicker
	// Logger gets what people should know: errors, and that all is well again. Nil: nothing.
	Logger *slog.Logger
	// Since is up to when the handler knows everything that happened. Zero: when the Watcher was
	// made.
	Since time.Time
}

// Watcher follows the objects of one kind, of all namespaces. Status may be called at any time.
type Watcher struct {
	client  *Client
	kind    schema.GroupVersionKind
	handler Handler
	clock   clock.WithTicker
	log     *slog.Logger
	keeper  keeper
	horizon horizon

	// What follows is of Run's goroutine.

	// path is where the objects are; empty before the API server said so.
	path string
	// version is the resource version up to which everything was handed on; empty before all was.
	version string
	// pagedUntil is how long lists are asked for in pages.
	pagedUntil time.Time
	// unfinished counts the streamed lists in a row that did not come to their end.
	unfinished int
	// expired counts the lists in pages in a row whose pages were gone before they were asked for.
	expired int
	// absent is since when the API server has not had the kind; zero: it has, as far as is known.
	// gone says that the handler was told.
	absent time.Time
	gone   bool
	// stuck counts the attempts in a row at the same version that ended with an error of the API server.
	stuck int
	// quick is the wait before another attempt, relist that before all is asked for anew, slow that
	// for what somebody has to repair first.
	quick, relist, slow backoff
	frames              frameReader
}

// New makes a Watcher of a kind. It does nothing before Run.
func New(client *Client, kind schema.GroupVersionKind, handler Handler, opts Options) *Watcher {
	if opts.Observer == nil {
		opts.Observer = nobody{}
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
		keeper: keeper{
			clock: opts.Clock, observer: opts.Observer,
			status: Status{Kind: kind, State: Starting, Since: opts.Clock.Now()},
		},
		horizon: horizon{clock: opts.Clock, until: opts.Since},
		quick:   backoff{least: quickLeast, most: quickMost},
		relist:  backoff{least: quickLeast, most: quickMost},
		slow:    backoff{least: slowLeast, most: slowMost},
	}
}

// Kind is what the watcher follows.
func (w *Watcher) Kind() schema.GroupVersionKind { return w.kind }

// Status tells what the watcher is about. It is safe for concurrent use.
func (w *Watcher) Status() Status { return w.keeper.get() }

// Sure returns the time up to which everything that the API server acknowledged was handed on; it
// is some seconds ago when all is well. It is safe for concurrent use.
func (w *Watcher) Sure() time.Time { return w.horizon.get() }

// Run hands on what is there and what changes until ctx is done, and returns nil then; or until the handler returns an error, which it
// returns. Errors of the API server end nothing: they are in the status, and what was tried is tried again. Run is called once.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.keeper.enter(Stopped)
	for ctx.Err() == nil {
		began := w.clock.Now()
		w.keeper.update(func(s *Status) { s.Retry = time.Time{} })
		end := w.attempt(ctx)
		if end.reason == Absent && w.path == "" {
			end = w.missing(ctx, began, end)
		} else if end.reason == Absent {
			w.absent, w.gone = time.Time{}, false
		}
		if ctx.Err() != nil {
			return nil
		}
		if end.handler {
			return fmt.Errorf("handle %s: %w", w.kind.Kind, end.err)
		}
		wait := w.learn(end, w.clock.Since(began))
		w.keeper.ended(end, wait)
		if wait > 0 && !w.sleep(ctx, wait) {
			return nil
		}
	}
	return nil
}

// attempt goes as far as the API server lets it.
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

// learn draws the conclusions from how an attempt ended that lasted a time, and gives the wait before the next one.
func (w *Watcher) learn(end *ending, lasted time.Duration) time.Duration {
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
			return 0 // as it should be
		}
	case Expired:
		if w.version != "" {
			wait = &w.relist // it answers again, however long it did not, and what happens before there is a list is lost
		}
		w.version = ""
	case Absent:
		// The objects of a kind that goes are deleted first. What was missed of that, the list tells when it is back.
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
	if w.keeper.enter(state) {
		w.log.Warn("not up to date", "state", string(state), "error", end.Error())
	}
	return max(wait.next(), end.wait)
}

// absentFor is how long the API server has to be without a kind for that to be taken for the truth,
// and not for an API server that is starting.
const absentFor = time.Minute

// missing notes that the API server did not have the kind when it was asked. What does not exist
// does not change.
func (w *Watcher) missing(ctx context.Context, asked time.Time, end *ending) *ending {
	switch {
	case w.absent.IsZero():
		w.absent = asked
		return end
	case asked.Sub(w.absent) < absentFor:
		return end
	case !w.gone:
		if err := w.handler.Gap(ctx, w.horizon.get(), asked); err != nil {
			return byHandler(err)
		}
		w.gone = true
	}
	w.horizon.listed(asked)
	return end
}

// listed notes the end of a list that was asked for at a time. What happened before it and since
// the last that was sure may never have been handed on.
func (w *Watcher) listed(ctx context.Context, mode Mode, asked time.Time) *ending {
	if err := w.handler.Complete(ctx); err != nil {
		return byHandler(err)
	}
	if err := w.handler.Gap(ctx, w.horizon.get(), w.clock.Now()); err != nil {
		return byHandler(err)
	}
	w.absent, w.gone = time.Time{}, false
	w.horizon.listed(asked)
	w.synced(mode)
	return nil
}

// progress notes that everything up to a version was handed on.
func (w *Watcher) progress(version string) {
	w.version, w.stuck = version, 0
}

// synced notes the end of a list.
func (w *Watcher) synced(mode Mode) {
	w.keeper.listed(mode)
	w.keeper.enter(Synced)
	w.log.Info("up to date", "list", string(mode))
}

// what names what is followed, for errors.
func (w *Watcher) what() string { return w.kind.GroupKind().String() }

// sleep waits, and says whether ctx is still good.
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
