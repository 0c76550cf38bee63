package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
)

// exit codes, as the documentation promises them.
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

// The same replay twice: each does what the trace says, both come to the same, and
// nothing is left.
func TestSimulate(t *testing.T) {
	path := writeShop(t)
	var outcomes []results.Outcome
	for range 2 {
		s := newSandbox(t)
		r := s.skctl("simulate", path, "--speed", "10", "-o", "out")
		r.check(t, done)
		wants(t, "standard output", r.stdout, "shop finished", "report: out/report.html\n")
		wants(t, "standard error", r.stderr, "replaying", "auto: ")
		for _, name := range []string{results.ReportFile, results.PodsFile, results.NodesFile, results.TimelineFile} {
			if _, err := os.Stat(filepath.Join(s.dir, "out", name)); err != nil {
				t.Error(err)
			}
		}
		got := summary(t, filepath.Join(s.dir, "out")).Outcome
		if got.Pods.Created != 7 || got.Pods.Succeeded != 2 || got.Events.Replayed != 3 || got.Problems.Total != 0 {
			t.Errorf("got %+v, want 7 pods, 2 of them succeeded, after 3 events without a problem", got)
		}
		outcomes = append(outcomes, got)
		empty(t, s.tmp)
	}
	if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
		t.Errorf("the second replay came to something else (-first +second):\n%s", diff)
	}
}

func TestSimulate_Errors(t *testing.T) {
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
			s := newSandbox(t)
			cmd := s.start("simulate", path, "-o", "out")
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
	s := newSandbox(t)
	cmd := s.start("simulate", writeShop(t), "-o", "out")
	cmd.waitFor("replaying")
	pid, dirs := s.child()
	removeAfter(t, dirs)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // so that it cannot obey
		t.Fatal(err)
	}
	cmd.signal(os.Interrupt)
	cmd.signal(syscall.SIGTERM)
	cmd.wait().check(t, interrupted)
	s.waitGone()
}

// Whoever kills skctl does not leave a control plane running.
func TestSimulate_KilledParent(t *testing.T) {
	s := newSandbox(t)
	cmd := s.start("simulate", writeShop(t), "-o", "out")
	cmd.waitFor("replaying")
	_, dirs := s.child()
	cmd.signal(os.Kill)
	cmd.wait()
	s.waitGone()
	gone(t, dirs)
}

func TestSimulate_KilledChild(t *testing.T) {
	s := newSandbox(t)
	cmd := s.start("simulate", writeShop(t), "-o", "out")
	cmd.waitFor("replaying")
	pid, dirs := s.child()
	removeAfter(t, dirs)
	kill(t, pid)
	r := cmd.wait()
	r.check(t, failed)
	wants(t, "standard error", r.stderr, "the control plane ended unexpectedly (signal: killed)", "hint: the full log is in "+s.tmp)
}
