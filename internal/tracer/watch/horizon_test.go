package watch

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
)

// TestHorizon simulates what a watch sees on its connection, second by second, and checks the time
// until which it is complete.
func TestHorizon(t *testing.T) {
	// Steps are: "wait" and "woken" begin and end a Read, "ping" is other data on the connection,
	// "bookmark" and "closed" are those of the watch, "follow" starts another watch, "look" reads the
	// horizon; a number is a pause in seconds.
	for _, test := range []struct {
		name  string
		steps string
		want  float64 // in seconds since the start, when it is complete
	}{
		{"a list alone", "60", 0},
		{"nothing to read", "follow wait 10 look", 0},
		{"something else came", "follow wait 30 ping 1 look 1 look", 25},
		{"something came just now, and may be ours", "follow wait 30 ping look", 0},
		{"a Read that waited", "follow 8 wait 0.1 woken", 3},
		{"Reads that find something each time", "follow 8 wait woken 8 wait woken", 0},
		{"resumed", "20 follow wait 0.1 woken 2 wait 0.1 woken", 0},
		{"resumed, and nothing comes", "20 follow wait 10 look", 0},
		{"resumed, and all had come", "20 follow wait 0.1 woken wait 5 ping 1 look 1 look", 20.1},
		{"resumed, and a bookmark, which may be late", "20 follow wait 0.1 woken bookmark", 0},
		{"resumed, and a bookmark after a while", "20 follow 5 wait 0.1 woken bookmark", 20.1},
		{"silent, then something comes", "follow wait 20 woken wait 0.1 woken 8 wait 0.1 woken", 0},
		{"a bookmark", "follow 9 bookmark", 4},
		{"the end of a watch", "follow 9 closed", 4},
		{"the end of a watch that was resumed", "20 follow 10 closed", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				l := &link{links: &links{clock: clock.RealClock{}}}
				l.last.Store(began.UnixNano())
				h := &horizon{clock: clock.RealClock{}, until: began}
				for step := range strings.FieldsSeq(test.steps) {
					switch step {
					case "follow":
						h.follow(l)
					case "wait":
						h.wait()
					case "woken":
						h.woken()
					case "bookmark":
						h.bookmark()
					case "closed":
						h.closed()
					case "ping":
						l.last.Store(time.Now().UnixNano())
					case "look":
						h.get()
					default:
						seconds, err := time.ParseDuration(step + "s")
						if err != nil {
							t.Fatal(err)
						}
						time.Sleep(seconds)
					}
				}
				if got := h.get().Sub(began).Seconds(); got != test.want {
					t.Errorf("complete until %v s, want %v s", got, test.want)
				}
			})
		})
	}
}

// TestWatcher_Gaps checks the gaps that a handler is notified of: none if a watch resumes where it
// ended, and everything since the last time of completeness if all objects had to be listed again.
func TestWatcher_Gaps(t *testing.T) {
	const hour = time.Hour
	synced := []string{"added a 1", "end 3"}
	with := func(steps ...string) []string { return append(append([]string(nil), synced...), steps...) }
	for _, test := range []struct {
		name      string
		discovery [][]string
		answers   [][]string
		lasts     time.Duration
		// gaps are the bounds of each expected gap, relative to the start.
		gaps []bounds
	}{{
		name:    "the first list",
		answers: [][]string{{"wait 20s", "added a 1", "end 3"}},
		gaps:    []bounds{{-hour, -hour, 20 * time.Second, 20 * time.Second}},
	}, {
		name:    "the API server is away at first",
		answers: [][]string{{"drop"}, {"added a 1", "drop"}, synced},
		gaps:    []bounds{{-hour, -hour, time.Second, 10 * time.Second}},
	}, {
		name:    "resumed",
		answers: [][]string{with("wait 2m", "drop"), {"drop"}, {"status 429 30"}, {"added b 4"}},
		gaps:    []bounds{{-hour, -hour, 0, 0}},
	}, {
		name:    "in pages, and resumed",
		answers: [][]string{{"status 400"}, {"page 3 next a=1"}, {"wait 5s", "page 3 - b=2"}, {"wait 1m", "drop"}, {"added c 4"}},
		gaps:    []bounds{{-hour, -hour, 5 * time.Second, 5 * time.Second}},
	}, {
		name:    "expired",
		answers: [][]string{with("wait 1m", "modified a 4", "wait 2s", "modified a 5", "wait 1m", "bookmark 6", "wait 10s", "drop"), {"hang 30s", "drop"}, {"error 410"}, with()},
		gaps: []bounds{
			{-hour, -hour, 0, 0},
			{110 * time.Second, 127 * time.Second, 160 * time.Second, 170 * time.Second},
		},
	}, {
		name:      "missing, and not known for sure",
		discovery: [][]string{{"status 404"}, {"status 404"}},
		answers:   [][]string{synced},
		gaps:      []bounds{{-hour, -hour, 10 * time.Second, time.Minute}},
	}, {
		name:      "missing for long",
		discovery: [][]string{{"status 404"}, {"status 404"}, {"status 404"}, {"status 404"}, {"status 404"}, {"status 404"}},
		answers:   [][]string{synced},
		lasts:     10 * time.Minute,
		gaps: []bounds{
			{-hour, -hour, time.Minute, 3 * time.Minute},
			{time.Minute, 9 * time.Minute, 2 * time.Minute, 10 * time.Minute},
		},
	}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				handler := &witness{}
				server := &apiServer{discovery: test.discovery, answers: test.answers}
				watcher := New(server.serve(t), widgets, handler, Options{Since: began.Add(-hour)})
				run(t, watcher, func() { time.Sleep(orElse(test.lasts, 5*time.Minute)) })
				if len(handler.gaps) != len(test.gaps) {
					t.Fatalf("got gaps %v, want %d", handler.gaps, len(test.gaps))
				}
				for i, want := range test.gaps {
					from, to := handler.gaps[i].from.Sub(began), handler.gaps[i].to.Sub(began)
					if from < want.minFrom || from > want.maxFrom || to < want.minTo || to > want.maxTo {
						t.Errorf("got a gap from %v to %v, want one within %v", from, to, want)
					}
				}
				if complete, last := watcher.CompleteUntil(), handler.gaps[len(handler.gaps)-1]; complete.Before(last.from) {
					t.Errorf("it is complete until %v, which is before the gap", complete.Sub(began))
				}
			})
		})
	}
}

// bounds are the bounds of the beginning and of the end of a gap.
type bounds struct{ minFrom, maxFrom, minTo, maxTo time.Duration }

// TestWatcher_CompleteWhileNothingHappens checks that another request proves that the connection of
// a silent watch is alive, over HTTP/2 with TLS.
func TestWatcher_CompleteWhileNothingHappens(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/widgets"):
			play(w, r, "end 1")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case r.URL.Path == "/version":
		default:
			_, _ = w.Write([]byte(resources))
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client, err := NewClient(&rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.http.CloseIdleConnections()
	watcher := New(client, widgets, &witness{}, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watcher.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for watcher.Status().State != Synced {
		time.Sleep(10 * time.Millisecond)
	}
	// The list is complete as of now; later only received data advances that.
	listed := watcher.CompleteUntil()
	time.Sleep(lateness + 10*settle)
	if silent := watcher.CompleteUntil(); silent.Sub(listed) > lateness {
		t.Errorf("complete until %v after the list, although nothing was received", silent.Sub(listed))
	}
	asked := time.Now()
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 { // each call depends on the previous one
		watcher.CompleteUntil()
		time.Sleep(settle + settle/2)
	}
	if complete := watcher.CompleteUntil(); complete.Before(asked.Add(-lateness)) || complete.After(time.Now().Add(-lateness)) {
		t.Errorf("complete until %v before the ping, want %v before", asked.Sub(complete), lateness)
	}
}
