package replay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"simkube.io/simkube/trace"
)

func TestPlan_steps(t *testing.T) {
	broken := errors.New("broken")
	plan := Plan{
		Events: func(yield func(*trace.Event, error) bool) {
			for _, at := range []int64{10, 10, 20} {
				if !yield(&trace.Event{Time: at}, nil) {
					return
				}
			}
			yield(nil, broken)
		},
		Actions: []Action{{Time: 30, Name: "last"}, {Time: 10, Name: "a"}, {Time: 10, Name: "b"}, {Time: 5, Name: "first"}},
	}
	read := func(limit int) (got []string) {
		for step, err := range plan.steps() {
			switch {
			case err != nil:
				got = append(got, err.Error())
			case step.action != nil:
				got = append(got, step.action.Name)
			default:
				got = append(got, "event")
			}
			if len(got) == limit {
				break
			}
		}
		return got
	}
	want := []string{"first", "event", "event", "a", "b", "event", "broken", "last"}
	for limit := 1; limit <= len(want); limit++ {
		if got := read(limit); !slices.Equal(got, want[:limit]) {
			t.Errorf("the first %d steps are %v, want %v", limit, got, want[:limit])
		}
	}
}

// An action between two events runs between them, at its time. Pauses shift it as they shift
// events.
func TestRun_actionBetweenEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPaced()
		var order []string
		var at []int
		note := func(name string) {
			order = append(order, name)
			at = append(at, int(p.clock.Since(p.begun)/time.Second))
		}
		plan := Plan{Actions: []Action{{Time: origin + 5, Name: "cordon", Run: func(context.Context) error {
			note("action")
			return nil
		}}}}
		var done []int
		opts := Options{OnCheckpoint: func(n int) {
			done = append(done, n)
			if n != 2 {
				note("event")
			}
		}}
		p.run(t.Context(), t, opts, plan,
			event(t, 0, []string{configMap("ns", "a")}, nil), event(t, 10, []string{configMap("ns", "b")}, nil))
		p.until(3)
		p.pause.Pause()
		p.until(7)
		p.pause.Resume()
		p.until(20)
		<-p.ended
		if p.err != nil {
			t.Fatal(p.err)
		}
		if !slices.Equal(order, []string{"event", "action", "event"}) || !slices.Equal(at, []int{0, 9, 14}) || !slices.Equal(done, []int{1, 2, 3}) {
			t.Errorf("%v at %v, done %v; want the action between the events, at 0, 9 and 14 s", order, at, done)
		}
		checkTold(t, p, 0, 14)
		if p.report.Events != 2 || p.told[1].Index != 1 {
			t.Errorf("report = %+v, last event %+v; want the action not counted as an event", p.report, p.told[1])
		}
	})
}

// A slow action makes the next one late, but no event; the run ends when the actions have.
func TestRun_slowAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().Add(time.Second)
		var at []time.Duration
		wait := func(context.Context) error {
			at = append(at, time.Since(start))
			time.Sleep(10 * time.Second)
			return nil
		}
		target := newFake()
		plan := Plan{Actions: []Action{{Time: origin + 1, Name: "one", Run: wait}, {Time: origin + 3, Name: "two", Run: wait}}}
		report, _, err := replayed(t, target, Options{Speed: 1}, plan,
			event(t, 0, []string{configMap("ns", "a")}, nil), event(t, 4, []string{configMap("ns", "b")}, nil))
		if err != nil || report.Events != 2 {
			t.Fatalf("Run() = %+v, %v", report, err)
		}
		checkSent(t, target, "apply configmaps ns/b", start.Add(4*time.Second))
		if want := []time.Duration{time.Second, 11 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("the actions ran at %v, want %v", at, want)
		}
		if took := time.Since(start); took != 21*time.Second {
			t.Errorf("the run ended after %v, want 21s", took)
		}
	})
}

// A failed action ends the run; a run that continues it repeats the action, and nothing that was
// done.
func TestRun_failedAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		reason := errors.New("no such node")
		fail, ran, done := true, 0, 0
		actions := []Action{
			{Time: origin + 1, Name: "first", Run: func(context.Context) error { ran++; return nil }},
			{Time: origin + 3, Name: "drain", Run: func(context.Context) error {
				if fail {
					return reason
				}
				ran += 10
				return nil
			}},
		}
		events := []trace.Event{
			event(t, 0, []string{configMap("ns", "a")}, nil),
			event(t, 2, []string{configMap("ns", "b")}, nil),
			event(t, 4, []string{configMap("ns", "c")}, nil),
		}
		opts := Options{OnCheckpoint: func(n int) { done = n }}
		report, _, err := replayed(t, target, opts, Plan{Actions: actions}, events...)
		var failed *ActionError
		if !errors.As(err, &failed) || !errors.Is(err, reason) || failed.Name != "drain" || failed.Time.Unix() != origin+3 {
			t.Errorf("Run() = %v, want the error of the action", err)
		}
		if report.Events != 2 || done != 3 || ran != 1 {
			t.Errorf("%d events, %d steps done, actions ran %d; want 2, 3, 1", report.Events, done, ran)
		}
		fail = false
		var indexes []int
		opts.OnEvent = func(r EventReport) { indexes = append(indexes, r.Index) }
		if _, err := resumed(t, target, opts, Plan{Actions: actions, Done: done}, events...); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(indexes, []int{2}) || done != 5 || ran != 11 {
			t.Errorf("after the failure: events %v, %d steps done, actions ran %d; want [2], 5, 11", indexes, done, ran)
		}
	})
}

// An action is cancelled when the run is, and is not done then.
func TestRun_cancelledAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPaced()
		ctx, cancel := context.WithCancel(t.Context())
		done := 0
		plan := Plan{Actions: []Action{{Time: origin + 1, Name: "wait", Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}}}
		p.run(ctx, t, Options{OnCheckpoint: func(n int) { done = n }}, plan, event(t, 0, nil, nil), event(t, 2, nil, nil))
		p.until(5)
		cancel()
		<-p.ended
		if !errors.Is(p.err, context.Canceled) || done != 1 || len(p.told) != 2 {
			t.Errorf("Run() = %v, %d steps done, %d events; want it cancelled, 1 and 2", p.err, done, len(p.told))
		}
	})
}
