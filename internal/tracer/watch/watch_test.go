package watch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/manifest"
)

var widgets = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Widget"}

// gap is an interval that a handler was notified of.
type gap struct{ from, to time.Time }

// witness is a handler and an observer that records its calls.
type witness struct {
	mu      sync.Mutex // guards the following
	calls   []string
	reasons []Reason
	states  []State
	modes   []Mode
	gaps    []gap
	// err is the error to return, by the name of the call.
	err map[string]error
	// slow is how long handling an object takes.
	slow time.Duration
}

func (h *witness) call(name, text string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, text)
	return h.err[name]
}

func (h *witness) Begin(context.Context) error    { return h.call("begin", "begin") }
func (h *witness) Complete(context.Context) error { return h.call("complete", "complete") }

func (h *witness) Gap(_ context.Context, from, to time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gaps = append(h.gaps, gap{from, to})
	return h.err["gap"]
}

func (h *witness) Object(_ context.Context, json []byte) error {
	time.Sleep(h.slow)
	head, err := manifest.ParseHead(json)
	if err != nil {
		return err
	}
	return h.call("object", head.Name+" "+head.ResourceVersion)
}

func (h *witness) Deleted(_ context.Context, json []byte) error {
	head, err := manifest.ParseHead(json)
	if err != nil {
		return err
	}
	return h.call("gone", "gone "+head.Name)
}

func (h *witness) StateChanged(state State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.states = append(h.states, state)
}

func (h *witness) Listed(mode Mode) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.modes = append(h.modes, mode)
}

func (h *witness) Restarted(reason Reason) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reasons = append(h.reasons, reason)
}
func (h *witness) Watched()     {}
func (h *witness) Received(int) {}

func TestWatcher_Run(t *testing.T) {
	// Time is that of a synctest bubble: it advances when all goroutines are blocked.
	synced := []string{"added a 1", "added b 2", "end 3"}
	seen := "begin, a 1, b 2, complete"
	with := func(steps ...string) []string { return append(append([]string(nil), synced...), steps...) }
	for _, test := range []struct {
		name      string
		discovery [][]string
		answers   [][]string
		lasts     time.Duration // default: 20 m
		asked     string
		calls     string
		reasons   []Reason
		states    []State // default: Listing, Synced
		final     State   // default: Synced
	}{{
		name:    "streamed list and changes",
		answers: [][]string{with("modified a 4", "deleted b 5", "added c 6")},
		lasts:   time.Minute,
		asked:   "find, stream",
		calls:   seen + ", a 4, gone b, c 6",
	}, {
		name:    "deleted before the end of the list",
		answers: [][]string{{"added a 1", "deleted a 2", "end 3"}},
		lasts:   time.Minute,
		asked:   "find, stream",
		calls:   "begin, a 1, gone a, complete",
	}, {
		name:    "closed by the server",
		answers: [][]string{with("modified a 4", "wait 2m", "close"), {"added c 5"}},
		lasts:   3 * time.Minute,
		asked:   "find, stream, watch 4",
		calls:   seen + ", a 4, c 5",
		reasons: []Reason{Closed},
	}, {
		name:    "nothing but bookmarks",
		answers: [][]string{with("wait 1m", "bookmark 7", "wait 1m", "bookmark 9", "wait 1m", "close")},
		lasts:   4 * time.Minute,
		asked:   "find, stream, watch 9",
		calls:   seen,
		reasons: []Reason{Closed},
	}, {
		name:    "dropped within a frame",
		answers: [][]string{with("modified a 4", `raw {"type":"MODIFIED","obj`, "drop"), {"modified a 5"}},
		lasts:   time.Minute,
		asked:   "find, stream, watch 4",
		calls:   seen + ", a 4, a 5",
		reasons: []Reason{Dropped},
		states:  []State{Listing, Synced, Reconnecting, Synced},
	}, {
		name:    "closed within a frame",
		answers: [][]string{with(`raw {"type":"MODIFIED","obj`, "close")},
		lasts:   time.Minute,
		asked:   "find, stream, watch 3",
		calls:   seen,
		reasons: []Reason{Dropped},
		states:  []State{Listing, Synced, Reconnecting, Synced},
	}, {
		name:    "dropped within the list",
		answers: [][]string{{"added a 1", "drop"}, synced},
		lasts:   time.Minute,
		asked:   "find, stream, stream",
		calls:   "begin, a 1, " + seen,
		reasons: []Reason{Dropped},
		states:  []State{Listing, Reconnecting, Listing, Synced},
	}, {
		name:    "streamed lists that never end",
		answers: [][]string{{"drop"}, {"close"}, {"added a 1", "drop"}, {"page 3 - a=1"}, {}},
		lasts:   time.Minute,
		asked:   "find, stream, stream, stream, list, watch 3",
		calls:   "begin, begin, begin, a 1, begin, a 1, complete",
		reasons: []Reason{Dropped, Closed, Dropped},
		states:  []State{Listing, Reconnecting, Listing, Reconnecting, Listing, Reconnecting, Listing, Synced},
	}, {
		name:    "expired in an error frame",
		answers: [][]string{with("wait 2m", "close"), {"error 410"}, {"added b 20", "end 21"}},
		asked:   "find, stream, watch 3, stream",
		lasts:   3 * time.Minute,
		calls:   seen + ", begin, b 20, complete",
		reasons: []Reason{Closed, Expired},
		states:  []State{Listing, Synced, Reconnecting, Listing, Synced},
	}, {
		name:    "expired in an answer",
		answers: [][]string{with("wait 2m", "close"), {"status 410"}, {"added b 20", "end 21"}},
		asked:   "find, stream, watch 3, stream",
		lasts:   3 * time.Minute,
		calls:   seen + ", begin, b 20, complete",
		reasons: []Reason{Closed, Expired},
		states:  []State{Listing, Synced, Reconnecting, Listing, Synced},
	}, {
		name:    "store set back",
		answers: [][]string{with("bookmark 2"), {"end 2"}},
		lasts:   time.Minute,
		asked:   "find, stream, stream",
		calls:   seen + ", begin, complete",
		reasons: []Reason{Expired},
		states:  []State{Listing, Synced, Reconnecting, Listing, Synced},
	}, {
		name:    "other errors are resumed, and in the end answered with a list",
		answers: [][]string{with("error 500"), {"raw garbage\n"}, {"raw {}\n"}, {"end 9"}},
		lasts:   time.Minute,
		asked:   "find, stream, watch 3, watch 3, stream",
		calls:   seen + ", begin, complete",
		reasons: []Reason{Failed, Failed, Failed},
		states:  []State{Listing, Synced, Reconnecting, Synced, Reconnecting, Synced, Reconnecting, Listing, Synced},
	}, {
		name:    "other errors with progress between are resumed",
		answers: [][]string{with("error 500"), {"bookmark 5", "error 500"}, {"added c 6", "error 500"}, {"error 500"}},
		lasts:   time.Minute,
		asked:   "find, stream, watch 3, watch 5, watch 6, watch 6",
		calls:   seen + ", c 6",
		reasons: []Reason{Failed, Failed, Failed, Failed},
		states:  []State{Listing, Synced, Reconnecting, Synced, Reconnecting, Synced, Reconnecting, Synced, Reconnecting, Synced},
	}, {
		name:    "frames that say nothing",
		answers: [][]string{with(`raw {"type":"NEWS","object":{}}` + "\n"), {`raw {"type":"ADDED","object":{"metadata":{}}}` + "\n"}, {"added c 4"}},
		lasts:   time.Minute,
		asked:   "find, stream, watch 3, watch 3",
		calls:   seen + ", c 4",
		reasons: []Reason{Failed, Failed},
		states:  []State{Listing, Synced, Reconnecting, Synced, Reconnecting, Synced},
	}, {
		name:    "lists are not streamed",
		answers: [][]string{{"status 422"}, {"page 3 next a=1"}, {"page 3 - b=2"}, {"modified a 4"}},
		lasts:   time.Minute,
		asked:   "find, stream, list, list next, watch 3",
		calls:   seen + ", a 4",
		reasons: []Reason{Unsupported},
	}, {
		name:    "streaming is forbidden",
		answers: [][]string{{"status 403 0 sendInitialEvents"}, {"page 3 - a=1"}, {}},
		lasts:   time.Minute,
		asked:   "find, stream, list, watch 3",
		calls:   "begin, a 1, complete",
		reasons: []Reason{Unsupported},
	}, {
		name:    "pages are remembered, for an hour",
		answers: [][]string{{"status 400"}, {"page 3 -"}, quiet(10, "3"), {"page 5 -"}, quiet(55, "5"), {"end 7"}},
		lasts:   67 * time.Minute,
		asked:   "find, stream, list, watch 3, list, watch 5, stream",
		calls:   "begin, complete, begin, complete, begin, complete",
		reasons: []Reason{Unsupported, Expired, Expired},
		states:  []State{Listing, Synced, Reconnecting, Listing, Synced, Reconnecting, Listing, Synced},
	}, {
		name:    "the streamed list is an ordinary watch",
		answers: [][]string{{"added a 1", "wait 1m", "bookmark 2"}, {"page 3 - a=1"}, {}},
		lasts:   2 * time.Minute,
		asked:   "find, stream, list, watch 3",
		calls:   "begin, a 1, begin, a 1, complete",
		reasons: []Reason{Unsupported},
	}, {
		name:    "the streamed list has no end, nor anything else",
		answers: [][]string{{"added a 1"}, {"page 3 - a=1"}, {}},
		lasts:   2 * time.Minute,
		asked:   "find, stream, list, watch 3",
		calls:   "begin, a 1, begin, a 1, complete",
		reasons: []Reason{Unsupported},
	}, {
		name: "pages expire",
		answers: [][]string{
			{"status 400"},
			{"page 3 next a=1"},
			{"status 410"},
			{"page 5 next a=1"},
			{"status 410"},
			{"page 7 - a=1 b=2"},
			{"error 410"},
			{"page 8 next a=1"},
			{"status 410"},
			{"page 9 next a=1"},
			{"page 9 - b=2"},
			{},
		},
		lasts:   time.Minute,
		asked:   "find, stream, list, list next, list, list next, list all, watch 7, list, list next, list, list next, watch 9",
		calls:   "begin, a 1, begin, a 1, " + seen + ", begin, a 1, " + seen,
		reasons: []Reason{Unsupported, Expired, Expired, Expired, Expired},
		states: []State{
			Listing, Reconnecting, Listing, Reconnecting, Listing, Synced, Reconnecting, Listing, Reconnecting, Listing, Synced,
		},
	}, {
		name:    "dropped within a page",
		answers: [][]string{{"status 400"}, {`raw {"metadata":{"resourceVersion":"3"},"items":[{`, "drop"}, {"page 3 - a=1"}, {}},
		lasts:   time.Minute,
		asked:   "find, stream, list, list, watch 3",
		calls:   "begin, begin, a 1, complete",
		reasons: []Reason{Unsupported, Dropped},
		states:  []State{Listing, Reconnecting, Listing, Synced},
	}, {
		name:    "forbidden, then not",
		answers: [][]string{{"status 403"}, {"status 401"}, synced},
		lasts:   time.Minute,
		asked:   "find, stream, stream, stream",
		calls:   seen,
		reasons: []Reason{Refused, Refused},
		states:  []State{Listing, Forbidden, Listing, Forbidden, Listing, Synced},
	}, {
		name:    "forbidden later, then not",
		answers: [][]string{with("wait 2m", "close"), {"status 403"}, {"status 403"}, {"added c 4"}},
		lasts:   4 * time.Minute,
		asked:   "find, stream, watch 3, watch 3, watch 3",
		calls:   seen + ", c 4",
		reasons: []Reason{Closed, Refused, Refused},
		states:  []State{Listing, Synced, Forbidden, Synced},
	}, {
		name:      "group missing, then there",
		discovery: [][]string{{"status 404"}, {"status 404"}},
		answers:   [][]string{synced},
		lasts:     time.Minute,
		asked:     "find, find, find, stream",
		calls:     seen,
		reasons:   []Reason{Absent, Absent},
		states:    []State{Missing, Listing, Synced},
	}, {
		name:      "kind missing, then there",
		discovery: [][]string{{`raw {"kind":"APIResourceList","resources":[{"name":"widgets/status","kind":"Widget"}]}`, "close"}},
		answers:   [][]string{synced},
		lasts:     time.Minute,
		asked:     "find, find, stream",
		calls:     seen,
		reasons:   []Reason{Absent},
		states:    []State{Missing, Listing, Synced},
	}, {
		name:    "kind gone, and back",
		answers: [][]string{with("deleted a 4", "wait 1m", "close"), {"status 404"}, {"added a 10", "end 11"}},
		asked:   "find, stream, watch 4, find, stream",
		lasts:   3 * time.Minute,
		calls:   seen + ", gone a, begin, a 10, complete",
		reasons: []Reason{Closed, Absent},
		states:  []State{Listing, Synced, Missing, Listing, Synced},
	}, {
		// Bookmarks may be missing as long as nothing changes: the watch is silent only after its
		// duration.
		name:    "silent after bookmarks",
		answers: [][]string{with("bookmark 4"), {"added c 5"}},
		lasts:   12 * time.Minute,
		asked:   "find, stream, watch 4",
		calls:   seen + ", c 5",
		reasons: []Reason{Silent},
		states:  []State{Listing, Synced, Reconnecting, Synced},
	}, {
		name:    "silent without bookmarks",
		answers: [][]string{{"status 400"}, {"page 3 -"}, {}, {"added c 5"}},
		lasts:   12 * time.Minute,
		asked:   "find, stream, list, watch 3, watch 3",
		calls:   "begin, complete, c 5",
		reasons: []Reason{Unsupported, Silent},
		states:  []State{Listing, Synced, Reconnecting, Synced},
	}, {
		name:    "no answer",
		answers: [][]string{{"hang 5m", "close"}, {"hang 60s", "end 3"}},
		lasts:   3 * time.Minute,
		asked:   "find, stream, stream",
		calls:   "begin, complete",
		reasons: []Reason{Silent},
		states:  []State{Listing, Reconnecting, Listing, Synced},
	}, {
		name:    "throttled",
		answers: [][]string{{"status 429 25"}, {"status 503 25"}, {"status 500 25"}},
		lasts:   70 * time.Second,
		asked:   "find, stream, stream, stream",
		reasons: []Reason{Throttled, Throttled, Throttled},
		states:  []State{Listing, Reconnecting, Listing, Reconnecting, Listing, Reconnecting},
		final:   Reconnecting,
	}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &apiServer{discovery: test.discovery, answers: test.answers}
				handler := &witness{}
				watcher := New(server.serve(t), widgets, handler, Options{Observer: handler})
				run(t, watcher, func() {
					time.Sleep(orElse(test.lasts, 20*time.Minute))
					want := Status{Kind: widgets, State: Synced, HasSynced: true}
					if test.final != "" {
						want.State, want.HasSynced = test.final, false
					}
					got := watcher.Status()
					if got.State != want.State || got.HasSynced != want.HasSynced || got.Kind != want.Kind {
						t.Errorf("got status %+v, want %s", got, want.State)
					}
					if got.Restarts != int64(len(test.reasons)) {
						t.Errorf("got %d restarts, want %d", got.Restarts, len(test.reasons))
					}
				})
				states := test.states
				if states == nil {
					states = []State{Listing, Synced}
				}
				compare(t, "questions", strings.Join(server.questions(), ", "), test.asked)
				compare(t, "calls", strings.Join(handler.calls, ", "), test.calls)
				compare(t, "reasons", handler.reasons, test.reasons)
				compare(t, "states", handler.states, append(append([]State(nil), states...), Stopped))
			})
		})
	}
}

// quiet is an answer without changes for some minutes, until the version has expired.
func quiet(minutes int, version string) []string {
	var steps []string
	for range minutes {
		steps = append(steps, "wait 1m", "bookmark "+version)
	}
	return append(steps, "error 410")
}

// run runs a watcher while f runs, and checks that Run returns without an error and at once when
// its context ends.
func run(t *testing.T, watcher *Watcher, f func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { result <- watcher.Run(ctx) }()
	f()
	ended := time.Now()
	cancel()
	if err := <-result; err != nil {
		t.Errorf("got error %v from Run, want none", err)
	}
	if took := time.Since(ended); took != 0 {
		t.Errorf("Run returned %v after its context ended, want at once", took)
	}
}

func orElse[T comparable](got, otherwise T) T {
	var zero T
	if got == zero {
		return otherwise
	}
	return got
}

func compare[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wrong %s (-want +got):\n%s", what, diff)
	}
}

func TestWatcher_Run_HandlerErrors(t *testing.T) {
	for _, call := range []string{"begin", "object", "complete", "gap", "gone"} {
		for mode, answers := range map[Mode][][]string{
			Streamed: {{"added a 1", "end 3", "deleted a 4"}},
			Paged:    {{"status 400"}, {"page 3 - a=1"}, {"deleted a 4"}},
		} {
			t.Run(call+"/"+string(mode), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					want := errors.New("disk full")
					handler := &witness{err: map[string]error{call: want}}
					watcher := New((&apiServer{answers: answers}).serve(t), widgets, handler, Options{})
					if err := watcher.Run(t.Context()); !errors.Is(err, want) {
						t.Errorf("got error %v, want %v", err, want)
					}
					if got := watcher.Status().State; got != Stopped {
						t.Errorf("got state %s, want %s", got, Stopped)
					}
				})
			})
		}
	}
}

func TestWatcher_Run_EndsAtOnce(t *testing.T) {
	for name, answers := range map[string][][]string{
		"no answer":       {{"hang 1h"}},
		"in the list":     {{"added a 1"}},
		"in a watch":      {{"end 1"}},
		"between watches": {{"status 429 300"}},
		"in a page":       {{"status 400"}, {`raw {"items":[`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				watcher := New((&apiServer{answers: answers}).serve(t), widgets, &witness{}, Options{})
				run(t, watcher, synctest.Wait)
			})
		})
	}
}

func TestWatcher_Run_SlowHandlerIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := &witness{slow: 10 * time.Minute}
		server := &apiServer{answers: [][]string{{"added a 1", "added b 2", "end 3", "added c 4", "added d 5"}}}
		watcher := New(server.serve(t), widgets, handler, Options{Observer: handler})
		run(t, watcher, func() { time.Sleep(41 * time.Minute) })
		compare(t, "calls", strings.Join(handler.calls, ", "), "begin, a 1, b 2, complete, c 4, d 5")
		compare(t, "reasons", handler.reasons, nil)
	})
}

func TestWatcher_Run_Waits(t *testing.T) {
	const tries = 12
	for _, test := range []struct {
		name     string
		answer   string
		min, max time.Duration // of the last wait
		first    time.Duration
	}{
		{"drops", "drop", 20 * time.Second, 30 * time.Second, 800 * time.Millisecond},
		{"errors", "status 500", 20 * time.Second, 30 * time.Second, 800 * time.Millisecond},
		{"refusals", "status 403", 40 * time.Second, time.Minute, 5 * time.Second},
		{"wait asked for", "status 429 45", 45 * time.Second, 45 * time.Second, 45 * time.Second},
		{"too long a wait asked for", "status 429 86400", maxRetryAfter, maxRetryAfter, maxRetryAfter},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &apiServer{}
				for range 10 * tries {
					server.answers = append(server.answers, []string{test.answer})
				}
				watcher := New(server.serve(t), widgets, &witness{}, Options{})
				run(t, watcher, func() { time.Sleep(tries*maxRetryAfter + time.Minute) })
				times := server.times()[1:] // without the discovery
				if len(times) <= tries {
					t.Fatalf("got %d tries, want more than %d", len(times), tries)
				}
				first, last := times[1]-times[0], times[tries]-times[tries-1]
				if first < test.first || first > 2*test.first {
					t.Errorf("got %v as first wait, want some %v", first, test.first)
				}
				if last < test.min || last > test.max {
					t.Errorf("got %v as last wait, want %v to %v", last, test.min, test.max)
				}
			})
		})
	}
}

func TestWatcher_Run_WaitsAfreshWhenAllWasWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{}
		for range 8 {
			server.answers = append(server.answers, []string{"drop"})
		}
		server.answers = append(server.answers, []string{"page 1 -"}, []string{"wait 2m", "drop"}, []string{"added a 2"})
		server.answers = append([][]string{{"status 400"}}, server.answers...)
		handler := &witness{}
		watcher := New(server.serve(t), widgets, handler, Options{Observer: handler})
		run(t, watcher, func() { time.Sleep(10 * time.Minute) })
		times := server.times()
		const watch = 11 // after those for the kind, a streamed list, and nine in pages
		if wait := times[watch+1] - times[watch] - 2*time.Minute; wait < minQuick || wait > 2*minQuick {
			t.Errorf("got a wait of %v, want some %v", wait, minQuick)
		}
	})
}

func TestStatus_CountsAndTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		server := &apiServer{
			discovery: [][]string{{"status 404"}},
			answers:   [][]string{{"added a 1", "end 3", "wait 30s", "modified a 4", "wait 20s", "bookmark 5"}},
		}
		watcher := New(server.serve(t), widgets, &witness{}, Options{})
		run(t, watcher, func() {
			synctest.Wait()
			got := watcher.Status()
			if got.State != Missing || got.HasSynced || !strings.Contains(got.Error, "Widget") || !got.Retry.After(began) {
				t.Errorf("got %+v, want it missing, with an error and the time of the next attempt", got)
			}
			time.Sleep(got.Retry.Sub(began))
			synctest.Wait()
			begins := time.Now()
			time.Sleep(time.Minute)
			got = watcher.Status()
			size := int64(2 * len(widget("a", "1")))
			want := Status{
				Kind: widgets, State: Synced, Since: begins, HasSynced: true, Error: got.Error, ErrorAt: began,
				Lists: 1, Watches: 1, Restarts: 1, Events: 2, Bytes: size,
				LastEvent: begins.Add(30 * time.Second), LastHeard: begins.Add(50 * time.Second),
			}
			compare(t, "status", got, want)
		})
	})
}

func TestClient_MetadataOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &apiServer{answers: [][]string{{"end 3"}}}
		watcher := New(server.serve(t).MetadataOnly(), widgets, &witness{}, Options{})
		run(t, watcher, synctest.Wait)
		if got := server.accepted[1]; !strings.HasPrefix(got, "application/json;as=PartialObjectMetadata;") {
			t.Errorf("got %q accepted, want the metadata first", got)
		}
	})
}
