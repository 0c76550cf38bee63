package replay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/trace"
)

// paced is a run on a clock that the test advances by seconds.
type paced struct {
	clock *clocktesting.FakeClock
	pause *Pauser
	// start is when the plan starts, begun when the clock was created.
	start, begun time.Time
	told         []EventReport
	report       Report
	err          error
	ended        chan struct{}
}

func newPaced() *paced {
	clock := clocktesting.NewFakeClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	return &paced{clock: clock, pause: NewPauser(clock), begun: clock.Now(), ended: make(chan struct{})}
}

// run starts a run in the background. The caller is in a bubble.
func (p *paced) run(ctx context.Context, t *testing.T, opts Options, plan Plan, events ...trace.Event) {
	t.Helper()
	opts.Simulation, opts.Clock = "sim", p.clock
	opts.OnEvent = func(r EventReport) { p.told = append(p.told, r) }
	engine, err := newEngine(newFake(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.CreateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.start = plan.Start; p.start.IsZero() {
		p.start = p.clock.Now()
	}
	plan.Pause, plan.Origin, plan.Events = p.pause, origin, sequence(events)
	go func() {
		defer close(p.ended)
		p.report, p.err = engine.Run(ctx, plan)
	}()
	synctest.Wait()
}

// until advances the clock to a number of seconds after its creation.
func (p *paced) until(second int) {
	for p.clock.Since(p.begun) < time.Duration(second)*time.Second {
		p.clock.Step(time.Second)
		synctest.Wait()
	}
}

// hasEnded reports whether the run has ended.
func (p *paced) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func TestPauser(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1000, 0))
	p := NewPauser(clock)
	for i, step := range []struct {
		do     func()
		paused bool
		shift  time.Duration
	}{
		{p.Resume, false, 0},
		{p.Pause, true, 5 * time.Second},
		{p.Pause, true, 10 * time.Second},
		{p.Resume, false, 10 * time.Second},
		{p.Resume, false, 10 * time.Second},
		{p.Pause, true, 15 * time.Second},
	} {
		step.do()
		clock.Step(5 * time.Second)
		if p.Paused() != step.paused || p.Shift() != step.shift {
			t.Errorf("step %d: Paused() = %t, Shift() = %v; want %t, %v", i, p.Paused(), p.Shift(), step.paused, step.shift)
		}
	}
}

// Events at seconds 0 and 600 of a plan that starts at second 10 of the clock, paused at times of
// the clock.
func TestRun_pauses(t *testing.T) {
	for name, c := range map[string]struct {
		speed      float64
		pauses     [][2]int // from, to
		first, end int      // when the two are due and sent, in seconds of the clock
	}{
		"never":                      {first: 10, end: 610},
		"in the gap":                 {pauses: [][2]int{{310, 327}}, first: 10, end: 627},
		"before the start":           {pauses: [][2]int{{2, 5}}, first: 13, end: 613},
		"over the start":             {pauses: [][2]int{{2, 19}}, first: 27, end: 627},
		"several":                    {pauses: [][2]int{{5, 6}, {100, 105}, {105, 106}, {300, 310}}, first: 11, end: 627},
		"over what would be the end": {pauses: [][2]int{{609, 700}}, first: 10, end: 701},
		"after the end":              {pauses: [][2]int{{611, 700}}, first: 10, end: 610},
		"faster":                     {speed: 2, pauses: [][2]int{{110, 127}}, first: 10, end: 327},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPaced()
				p.run(t.Context(), t, Options{Speed: c.speed}, Plan{Start: p.begun.Add(10 * time.Second)},
					event(t, 0, []string{configMap("ns", "a")}, nil), event(t, 600, []string{configMap("ns", "b")}, nil))
				for _, pause := range c.pauses {
					p.until(pause[0])
					p.pause.Pause()
					p.until(pause[1])
					p.pause.Resume()
				}
				p.until(800)
				<-p.ended
				if p.err != nil {
					t.Fatal(p.err)
				}
				checkTold(t, p, c.first, c.end)
				if lag := maxLag(p.told); lag != 0 {
					t.Errorf("lag = %v, want none", lag)
				}
			})
		})
	}
}

// checkTold checks when events were due and sent, in seconds of the clock.
func checkTold(t *testing.T, p *paced, want ...int) {
	t.Helper()
	var due, started []int
	for _, r := range p.told {
		due = append(due, int(r.Due.Sub(p.begun)/time.Second))
		started = append(started, int(r.Started.Sub(p.begun)/time.Second))
	}
	if !slices.Equal(due, want) || !slices.Equal(started, want) {
		t.Errorf("due at %v, sent at %v, want both at %v", due, started, want)
	}
}

func maxLag(reports []EventReport) time.Duration {
	var lag time.Duration
	for _, r := range reports {
		lag = max(lag, r.Lag)
	}
	return lag
}

// Without a start, pauses before Run shift nothing, and the rest of a present pause does.
func TestRun_pausedWithoutStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPaced()
		p.pause.Pause()
		p.until(50)
		p.pause.Resume()
		p.until(60)
		p.pause.Pause()
		p.until(70)
		p.run(t.Context(), t, Options{}, Plan{}, event(t, 5, []string{configMap("ns", "a")}, nil))
		p.until(80)
		p.pause.Resume()
		p.until(100)
		<-p.ended
		checkTold(t, p, 85)
	})
}

// An overdue event is held until the pause is over, and is then as late as before.
func TestRun_overdueIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPaced()
		p.until(20)
		p.pause.Pause()
		p.run(t.Context(), t, Options{}, Plan{Start: p.begun}, event(t, 5, []string{configMap("ns", "a")}, nil))
		p.until(40)
		if len(p.told) > 0 {
			t.Error("sent while it was paused")
		}
		p.pause.Resume()
		synctest.Wait()
		<-p.ended
		if got := p.told[0]; got.Lag != 15*time.Second || got.Due.Sub(p.begun) != 25*time.Second {
			t.Errorf("due %v after the start, late by %v, want 25s and 15s", got.Due.Sub(p.begun), got.Lag)
		}
	})
}

func TestRun_pauseWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPaced()
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		p.run(ctx, t, Options{}, Plan{}, event(t, 5, []string{configMap("ns", "a")}, nil))
		p.pause.Pause()
		p.until(5000)
		if p.hasEnded() {
			t.Fatal("it ended while it was paused")
		}
		cancel(reason)
		<-p.ended
		if !errors.Is(p.err, reason) || len(p.told) > 0 {
			t.Errorf("Run() = %v, events %v; want %v and none", p.err, p.told, reason)
		}
	})
}

// Pauses shift the end of a duration, whether it is before the end of the trace or after.
func TestRun_pausedDuration(t *testing.T) {
	for name, c := range map[string]struct {
		wait bool  // Settle waits until the duration has passed
		last int64 // when the last event is, in the trace
		end  int
		want []int
	}{
		"cut off":              {false, 600, 117, []int{0}},
		"cut off, waited for":  {true, 600, 117, []int{0}},
		"longer":               {false, 90, 107, []int{0, 107}},
		"longer, waited for":   {true, 90, 117, []int{0, 107}},
		"as long as the trace": {true, 100, 117, []int{0, 117}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPaced()
				settled := 0
				plan := Plan{Duration: 100 * time.Second, Settle: func(ctx context.Context) error {
					if c.wait {
						if _, err := p.pause.SleepUntil(ctx, p.begun.Add(100*time.Second)); err != nil {
							return err
						}
					}
					settled = int(p.clock.Since(p.begun) / time.Second)
					return nil
				}}
				p.run(t.Context(), t, Options{}, plan,
					event(t, 0, []string{configMap("ns", "a")}, nil), event(t, c.last, []string{configMap("ns", "b")}, nil))
				p.until(50)
				p.pause.Pause()
				p.until(67)
				p.pause.Resume()
				p.until(200)
				<-p.ended
				checkTold(t, p, c.want...)
				if settled != c.end {
					t.Errorf("settled at %d s, want %d s", settled, c.end)
				}
			})
		})
	}
}

// A wait for a deadline ends with the context.
func TestRun_settlingInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPaced()
		ctx, cancel := context.WithCancel(t.Context())
		plan := Plan{Settle: func(ctx context.Context) error {
			_, err := p.pause.SleepUntil(ctx, p.begun.Add(time.Hour))
			return err
		}}
		p.run(ctx, t, Options{}, plan, event(t, 0, []string{configMap("ns", "a")}, nil))
		p.until(50)
		if p.hasEnded() {
			t.Error("ended before the duration was over")
		}
		cancel()
		<-p.ended
		if !errors.Is(p.err, context.Canceled) {
			t.Errorf("Run() = %v, want it cancelled", p.err)
		}
	})
}
