package skcluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/simulation"
)

// fake returns options to run the test binary as an sk-cluster with this behaviour, and its folder
// for temporary files.
func fake(t *testing.T, behaviour string) (opts Options, tmp string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmp = t.TempDir()
	t.Setenv("TMPDIR", tmp)
	return Options{
		Path: self,
		Spec: simulation.Spec{Name: "s", Output: "out"},
		Env:  []string{fakeEnv + "=" + behaviour},
	}, tmp
}

func logs(t *testing.T, tmp string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(tmp, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSimulate_Done(t *testing.T) {
	opts, tmp := fake(t, "done")
	var got []string
	opts.OnMessage = func(msg simulation.Message) {
		switch {
		case msg.Note != nil:
			got = append(got, msg.Note.Text)
		case msg.Progress != nil:
			got = append(got, string(msg.Progress.Phase))
		}
	}
	done, err := Simulate(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if done.Output != "out" {
		t.Errorf("output is %q: the specification did not arrive", done.Output)
	}
	if diff := cmp.Diff([]string{"simulating s", "replaying"}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if left := logs(t, tmp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// OnEnd is called however a child ends.
func TestSimulate_OnEnd(t *testing.T) {
	for _, behaviour := range []string{"done", "failed", "crash"} {
		t.Run(behaviour, func(t *testing.T) {
			opts, _ := fake(t, behaviour)
			var got []Usage
			opts.OnEnd = func(u Usage) { got = append(got, u) }
			_, _ = Simulate(t.Context(), opts)
			if len(got) != 1 {
				t.Fatalf("told %d times, want once", len(got))
			}
			// A Go program that does next to nothing uses some megabytes.
			if peak := got[0].PeakMemory; peak < 1<<20 || peak > 1<<30 {
				t.Errorf("the peak is %d bytes, which cannot be", peak)
			}
		})
	}
}

func TestSimulate_Failed(t *testing.T) {
	opts, tmp := fake(t, "failed")
	_, err := Simulate(t.Context(), opts)
	var failed *FailedError
	if !errors.As(err, &failed) {
		t.Fatalf("error is %v, want a FailedError", err)
	}
	if failed.Error() != "it was not to be" || failed.Hint != "try again" {
		t.Errorf("got %+v", failed)
	}
	if left := logs(t, tmp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSimulate_Crash(t *testing.T) {
	for behaviour, tc := range map[string]struct {
		status string
		tail   []string
		cause  error
	}{
		"crash":     {"exit status 2", []string{"E0101 something is wrong", "panic: nil pointer"}, nil},
		"mute":      {"exit status 0", nil, nil},
		"garbage":   {"signal: killed", nil, ErrProtocol},
		"two kinds": {"signal: killed", nil, ErrProtocol},
	} {
		t.Run(behaviour, func(t *testing.T) {
			opts, _ := fake(t, behaviour)
			_, err := Simulate(t.Context(), opts)
			var crash *CrashError
			if !errors.As(err, &crash) {
				t.Fatalf("error is %v, want a CrashError", err)
			}
			if crash.Status != tc.status {
				t.Errorf("status is %q, want %q", crash.Status, tc.status)
			}
			if !errors.Is(err, tc.cause) && tc.cause != nil {
				t.Errorf("error is %v, want it to wrap %v", err, tc.cause)
			}
			if diff := cmp.Diff(tc.tail, crash.Tail); diff != "" {
				t.Errorf("tail (-want +got):\n%s", diff)
			}
			log, err := os.ReadFile(crash.Log)
			if err != nil {
				t.Fatalf("the log was not kept: %v", err)
			}
			for _, want := range append([]string{"the log begins", tc.status}, tc.tail...) {
				if !strings.Contains(string(log), want) {
					t.Errorf("the log lacks %q:\n%s", want, log)
				}
			}
			if strings.Contains(crash.Error(), "goroutine") {
				t.Errorf("the error shows a stack trace: %v", crash)
			}
		})
	}
}

// interrupted returns a context that is cancelled when the child reports progress.
func interrupted(t *testing.T, opts *Options) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	opts.OnMessage = func(msg simulation.Message) {
		if msg.Progress != nil {
			cancel()
		}
	}
	return ctx
}

func TestSimulate_Interrupt(t *testing.T) {
	opts, tmp := fake(t, "until interrupted")
	done, err := Simulate(interrupted(t, &opts), opts)
	if err != nil {
		t.Fatal(err)
	}
	if !done.Interrupted {
		t.Error("the simulation does not know that it was interrupted")
	}
	if left := logs(t, tmp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A simulation that has not replayed anything is killed at once.
func TestSimulate_InterruptEarly(t *testing.T) {
	opts, tmp := fake(t, "hang early")
	_, err := Simulate(interrupted(t, &opts), opts)
	var failed *FailedError
	if !errors.As(err, &failed) || !failed.Interrupted {
		t.Errorf("error is %v, want a FailedError for an interrupt", err)
	}
	if left := logs(t, tmp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSimulate_HangOnInterrupt(t *testing.T) {
	opts, _ := fake(t, "hang")
	opts.Grace = time.Millisecond
	_, err := Simulate(interrupted(t, &opts), opts)
	if !errors.Is(err, ErrGrace) {
		t.Errorf("error is %v, want ErrGrace", err)
	}
}

func TestSimulate_Kill(t *testing.T) {
	opts, tmp := fake(t, "hang")
	kill := make(chan struct{})
	opts.Kill = kill
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opts.OnMessage = func(msg simulation.Message) {
		if msg.Progress != nil {
			cancel()
			close(kill)
		}
	}
	if _, err := Simulate(ctx, opts); !errors.Is(err, ErrKilled) {
		t.Errorf("error is %v, want ErrKilled", err)
	}
	if left := logs(t, tmp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSimulate_OrphanHoldsPipe(t *testing.T) {
	opts, _ := fake(t, "orphan")
	done, err := Simulate(t.Context(), opts)
	if err != nil || done.Output != "out" {
		t.Errorf("got %v, %v, want what the child said before it ended", done, err)
	}
}

func TestSimulate_NotAProgram(t *testing.T) {
	opts, tmp := fake(t, "done")
	opts.Path = filepath.Join(tmp, "none")
	if _, err := Simulate(t.Context(), opts); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v, want that there is no such file", err)
	}
	if left := logs(t, tmp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// In virtual time a simulation that reports no progress is ended, with the stacks of its goroutines
// in the log. On the wall clock it is not.
func TestSimulate_StandsStill(t *testing.T) {
	for _, behaviour := range []string{"standing still", "hang"} {
		t.Run(behaviour, func(t *testing.T) {
			opts, _ := fake(t, behaviour)
			opts.Spec.Time = simulation.Virtual
			opts.Stall = time.Second
			_, err := Simulate(t.Context(), opts)
			var crash *CrashError
			if !errors.Is(err, ErrStalled) || !errors.As(err, &crash) {
				t.Fatalf("error is %v, want a CrashError with ErrStalled", err)
			}
			log, err := os.ReadFile(crash.Log)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"the log begins", "SIGQUIT", "goroutine 1 gp="} {
				if !strings.Contains(string(log), want) {
					t.Errorf("the log lacks %q:\n%s", want, log)
				}
			}
		})
	}
	t.Run("on the wall clock", func(t *testing.T) {
		opts, _ := fake(t, "standing still")
		opts.Stall = 500 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		opts.Grace = time.Second
		if _, err := Simulate(ctx, opts); !errors.Is(err, ErrGrace) {
			t.Errorf("error is %v, want that it was left alone until the end", err)
		}
	})
}
