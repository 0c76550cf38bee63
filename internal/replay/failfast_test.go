package replay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"simkube.io/simkube/trace"
)

// refuseBad rejects objects with a name that begins with bad.
func refuseBad(_ string, at place) error {
	if strings.HasPrefix(at.name, "bad") {
		return apierrors.NewBadRequest("no")
	}
	return nil
}

// checkProblemError checks that the error is that of a run that ended at its first problem, with an
// object called bad.
func checkProblemError(t *testing.T, err error) {
	t.Helper()
	problem, ok := errors.AsType[*ProblemError](err)
	if !ok {
		t.Fatalf("Run() = %v, want a ProblemError", err)
	}
	const want = "apply v1.ConfigMap ns/bad: rejected: no"
	if problem.Problem.Name != "bad" || !strings.Contains(err.Error(), want) {
		t.Errorf("Run() = %v, want it to say %q", err, want)
	}
}

func TestRun_failFast(t *testing.T) {
	for name, c := range map[string]struct {
		fast            bool
		applied, events int
		after           time.Duration
	}{
		"off": {false, 4, 4, 32 * time.Second},
		"on":  {true, 2, 2, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				target.fail, target.takes = refuseBad, 2*time.Second
				settled := false
				plan := Plan{Settle: func(context.Context) error { settled = true; return nil }}
				report, start, err := replayed(t, target, Options{FailFast: c.fast}, plan,
					event(t, 0, []string{configMap("ns", "a")}, nil),
					event(t, 5, []string{configMap("ns", "bad"), configMap("ns", "b")}, nil),
					event(t, 10, []string{configMap("ns", "c")}, nil),
					event(t, 30, []string{configMap("ns", "d")}, nil))
				if got := time.Since(start); got != c.after {
					t.Errorf("returned after %v, want %v", got, c.after)
				}
				if report.Applied != c.applied || report.Events != c.events || report.ProblemCounts[Rejected] != 1 {
					t.Errorf("report = %+v, want %d applied, %d events and one problem", report, c.applied, c.events)
				}
				if settled == c.fast {
					t.Errorf("settled = %t", settled)
				}
				if c.fast {
					checkProblemError(t, err)
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Work that waits for a worker at the first problem is not started.
func TestRun_failFastBeginsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.fail = refuseBad
		report, _, err := replayed(t, target, Options{FailFast: true, Concurrency: 1}, Plan{},
			event(t, 0, []string{configMap("ns", "a"), configMap("ns", "bad"), configMap("ns", "bad-too"), configMap("ns", "b")}, nil))
		checkProblemError(t, err)
		if got := target.lines("apply"); len(got) != 2 || report.Applied != 1 || report.Events != 0 {
			t.Errorf("requests %v, report %+v; want two requests, one applied and no event", got, report)
		}
	})
}

// An object whose namespace is being created when the run ends is not applied.
func TestRun_failFastOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.takes = time.Second
		tries := 0
		target.fail = func(verb string, at place) error {
			if at.name != "slow" {
				return refuseBad(verb, at)
			}
			if tries++; tries == 1 {
				return apierrors.NewServiceUnavailable("not yet")
			}
			time.Sleep(3 * time.Second)
			return nil
		}
		_, start, err := replayed(t, target, Options{FailFast: true}, Plan{},
			event(t, 5, []string{configMap("ns", "bad"), configMap("slow", "a")}, nil))
		checkProblemError(t, err)
		if got := target.lines("slow/a"); len(got) > 0 {
			t.Errorf("requests %v, want none", got)
		}
		if got := time.Since(start); got != 9*time.Second {
			t.Errorf("returned after %v, want when the namespace was made", got)
		}
	})
}

// The error of a broken trace does not hide an earlier problem.
func TestRun_failFastInABrokenTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		target.fail, target.takes = refuseBad, time.Second
		engine, err := newEngine(target, Options{Simulation: "sim", FailFast: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.CreateRoot(t.Context()); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("broken")
		first := event(t, 3, []string{configMap("ns", "bad")}, nil)
		_, err = engine.Run(t.Context(), Plan{Origin: origin, Events: func(yield func(*trace.Event, error) bool) {
			_ = yield(&first, nil) && yield(nil, broken)
		}})
		if !errors.Is(err, broken) {
			t.Errorf("Run() = %v, want it to say that the trace is broken", err)
		}
		checkProblemError(t, err)
	})
}
