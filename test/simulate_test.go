package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/trace"
)

// The documented exit codes.
const (
	done        = 0
	failed      = 1
	wrongUsage  = 2
	interrupted = 130
)

func summary(t *testing.T, dir string) results.Summary {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, results.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var out results.Summary
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// clocks are the arguments that select a clock, with a speed that keeps the test short.
var clocks = map[string][]string{
	"real":    {"--time", "real", "--speed", "10"},
	"virtual": nil, // the default
}

// The same replay twice on each clock: each does what the trace says, all come to the same,
// and nothing is left.
func TestSimulate(t *testing.T) {
	t.Parallel()
	path := writeShop(t)
	var first *results.Outcome
	for name, clock := range clocks {
		for range 2 {
			s := newSandbox(t)
			r := s.skctl(append([]string{"simulate", path, "-o", "out"}, clock...)...)
			r.check(t, done)
			wants(t, "standard output", r.stdout, "shop finished", "report: out/report.html\n")
			wants(t, "standard error", r.stderr, "starting", "auto: ")
			for _, name := range []string{results.ReportFile, results.PodsFile, results.NodesFile, results.TimelineFile} {
				if _, err := os.Stat(filepath.Join(s.dir, "out", name)); err != nil {
					t.Error(err)
				}
			}
			got := summary(t, filepath.Join(s.dir, "out")).Outcome
			if got.Pods.Created != 7 || got.Pods.Succeeded != 2 || got.Events.Replayed != 3 || got.Problems.Total != 0 {
				t.Errorf("%s time: got %+v, want 7 pods, 2 of them succeeded, after 3 events without a problem", name, got)
			}
			if first == nil {
				first = &got
			} else if diff := cmp.Diff(*first, got); diff != "" {
				t.Errorf("%s time: another replay came to something else (-first +this):\n%s", name, diff)
			}
			empty(t, s.tmp)
		}
	}
}

// The runtime's framing of output in virtual time does not reach the user, and an interrupt works
// although the process gets no signals.
func TestSimulate_InterruptInVirtualTime(t *testing.T) {
	t.Parallel()
	day, err := filepath.Abs("../examples/day.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t)
	cmd := s.start("simulate", day, "-o", "out")
	cmd.waitFor("replaying", "done in") // known once some of the trace has been replayed
	_, dirs := s.child()
	cmd.signal(os.Interrupt)
	r := cmd.wait()
	r.check(t, interrupted)
	gone(t, dirs)
	if strings.ContainsRune(r.stdout+r.stderr, 0) {
		t.Errorf("standard output or error has NUL bytes:\n%q\n%q", r.stdout, r.stderr)
	}
	got := summary(t, filepath.Join(s.dir, "out"))
	if want := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC); !got.Run.Interrupted || !got.Run.ClockStart.Equal(want) {
		t.Errorf("interrupted: got %t; the clock began at %s, want %s", got.Run.Interrupted, got.Run.ClockStart, want)
	}
	empty(t, s.tmp)
}

func TestSimulate_Errors(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	whole, err := os.ReadFile(writeShop(t))
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(t.TempDir(), "half.sktrace")
	if err := os.WriteFile(half, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"truncated trace": {[]string{"simulate", half}, failed, []string{"skctl: read trace " + half + ": byte ", "the trace ends here"}},
		"no trace":        {[]string{"simulate", "none.sktrace"}, failed, []string{"skctl: open trace none.sktrace: no such file or directory"}},
		"wrong speed":     {[]string{"simulate", half, "--speed", "-1"}, wrongUsage, []string{"--speed -1: must be more than 0"}},
		"wrong clock":     {[]string{"simulate", half, "--time", "sidereal"}, wrongUsage, []string{`invalid --time "sidereal": must be virtual or real`}},
		"virtual speed":   {[]string{"simulate", half, "--speed", "2"}, wrongUsage, []string{"invalid --speed 2: requires --time real; virtual time runs as fast as possible"}},
		"unknown flag":    {[]string{"simulate", "--frobnicate"}, wrongUsage, []string{"unknown flag: --frobnicate", "hint: see skctl simulate --help"}},
		"unknown command": {[]string{"frobnicate"}, wrongUsage, []string{"unknown command"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.skctl(tc.args...)
			r.check(t, tc.code)
			wants(t, "standard error", r.stderr, tc.want...)
			if r.stdout != "" {
				t.Errorf("standard output is %q, want nothing", r.stdout)
			}
			empty(t, s.dir)
			empty(t, s.tmp)
		})
	}
}

func TestSimulate_Interrupt(t *testing.T) {
	t.Parallel()
	path := writeShop(t)
	for name, tc := range map[string]struct {
		when   []string // the line at which to interrupt
		report bool
	}{
		"while replaying":  {[]string{"replaying", "events 1/3"}, true},
		"before any event": {[]string{"replaying", "events 0/3"}, false},
		"while starting":   {[]string{"starting"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			cmd := s.start("simulate", path, "-o", "out", "--time", "real")
			cmd.waitFor(tc.when...)
			_, dirs := s.child()
			cmd.signal(os.Interrupt)
			r := cmd.wait()
			r.check(t, interrupted)
			wants(t, "standard error", r.stderr, "skctl: interrupted")
			if len(dirs) > 0 {
				gone(t, dirs)
			}
			if tc.report {
				if got := summary(t, filepath.Join(s.dir, "out")); !got.Run.Interrupted {
					t.Error("the summary does not say that the run was interrupted")
				}
			}
			empty(t, s.tmp)
		})
	}
}

func TestSimulate_SecondInterrupt(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	cmd := s.start("simulate", writeShop(t), "-o", "out", "--time", "real")
	cmd.waitFor("replaying")
	pid, dirs := s.child()
	removeAfter(t, dirs)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // so that it cannot react
		t.Fatal(err)
	}
	cmd.signal(os.Interrupt)
	cmd.signal(syscall.SIGTERM)
	cmd.wait().check(t, interrupted)
	s.waitGone()
}

// Killing skctl does not leave a control plane running.
func TestSimulate_KilledParent(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	cmd := s.start("simulate", writeShop(t), "-o", "out", "--time", "real")
	cmd.waitFor("replaying")
	_, dirs := s.child()
	cmd.signal(os.Kill)
	cmd.wait()
	s.waitGone()
	gone(t, dirs)
}

func TestSimulate_KilledChild(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	cmd := s.start("simulate", writeShop(t), "-o", "out", "--time", "real")
	cmd.waitFor("replaying")
	pid, dirs := s.child()
	removeAfter(t, dirs)
	kill(t, pid)
	r := cmd.wait()
	r.check(t, failed)
	wants(t, "standard error", r.stderr, "the control plane ended unexpectedly (signal: killed)", "hint: the full log is in "+s.tmp)
}

// A trace that lasts no time still gets its pods, on a clock that has not moved.
func TestSimulate_OneInstant(t *testing.T) {
	t.Parallel()
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deploymentKind: {}}},
		Events: []trace.Event{{Time: traceStart, Applied: []trace.Object{web(t, 3)}}},
	}
	path := filepath.Join(t.TempDir(), "instant.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t)
	s.skctl("simulate", path, "-o", "out").check(t, done)
	if got := summary(t, filepath.Join(s.dir, "out")).Outcome.Pods; got.Created != 3 || got.Ran != 3 {
		t.Errorf("got %+v, want 3 pods that ran", got)
	}
}
