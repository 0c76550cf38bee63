package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type memory []simkubev1.HookRecord

func (m *memory) Records() []simkubev1.HookRecord { return *m }
func (m *memory) Save(ctx context.Context, records []simkubev1.HookRecord) error {
	*m = records
	return ctx.Err()
}

func newRunner() *Runner {
	return &Runner{Clock: clock.RealClock{}}
}

func sh(script string) simkubev1.SimulationHook {
	return simkubev1.SimulationHook{Cmd: "sh", Args: []string{"-c", script}}
}

func TestRunner_RunPhase_OnDone(t *testing.T) {
	ignored := sh("exit 4")
	ignored.IgnoreFailure = true
	var told []string
	runner := &Runner{OnDone: func(record simkubev1.HookRecord, _ simkubev1.SimulationHook, err error) {
		told = append(told, fmt.Sprintf("%d %s %d %t", record.Index, record.State, *record.ExitCode, err != nil))
	}}
	if err := runner.RunPhase(t.Context(), simkubev1.HookPreRun, 2, []simkubev1.SimulationHook{ignored, sh("true")}, &simkubev1.Simulation{}, &memory{}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0 Failed 4 true", "1 Succeeded 0 false"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestRunner_RunPhase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	ignored := sh("exit 1")
	ignored.IgnoreFailure = true
	hooks := []simkubev1.SimulationHook{sh("echo a >>" + file), ignored, sh("echo b >>" + file), sh("exit 2"), sh("echo c >>" + file)}
	records := &memory{}
	var failed *action.Error
	if err := newRunner().RunPhase(t.Context(), simkubev1.HookPreRun, 1, hooks, nil, records); !errors.As(err, &failed) || failed.ExitCode != 2 {
		t.Errorf("got %v, want exit 2", err)
	}
	if err := newRunner().RunPhase(t.Context(), simkubev1.HookPreRun, 1, hooks[:3], nil, records); err != nil || len(*records) != 4 {
		t.Errorf("again: got %v, %d records", err, len(*records))
	}
	if got, _ := os.ReadFile(file); string(got) != "a\nb\n" {
		t.Errorf("ran %q", got)
	}
	started := &memory{{Phase: simkubev1.HookPreRun, Run: 1, State: simkubev1.HookStarted}}
	if err := newRunner().RunPhase(t.Context(), simkubev1.HookPreRun, 1, hooks[:1], nil, started); !errors.Is(err, ErrInterrupted) || (*started)[0].State != simkubev1.HookFailed {
		t.Errorf("interrupted: got %v, %+v", err, *started)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	cut := &memory{}
	if err := newRunner().RunPhase(ctx, simkubev1.HookPreStart, 0, []simkubev1.SimulationHook{sh("sleep 50")}, nil, cut); err == nil || (*cut)[0].State != simkubev1.HookFailed || !strings.Contains((*cut)[0].Message, "interrupted") {
		t.Errorf("cancelled: got %v, %+v", err, *cut)
	}
}

func TestRunner_RunPhase_FailedBefore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	list := []simkubev1.SimulationHook{sh("exit 1"), sh("touch " + file)}
	records := &memory{}
	for range 2 {
		if err := newRunner().RunPhase(t.Context(), simkubev1.HookPreStart, 0, list, &simkubev1.Simulation{}, records); err == nil {
			t.Error("a hook failed, and the phase did not")
		}
	}
	if _, err := os.Stat(file); err == nil || len(*records) != 1 {
		t.Errorf("the hook after one that failed was run: %+v", *records)
	}
}

// TestRunner_RunPhase_PostStop checks that after a failure the other hooks of the phase are run.
func TestRunner_RunPhase_PostStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	list := []simkubev1.SimulationHook{sh("echo a >>" + file), sh("exit 2"), sh("echo b >>" + file), sh("exit 3"), sh("echo c >>" + file)}
	records := &memory{}
	var failed *action.Error
	if err := newRunner().RunPhase(t.Context(), simkubev1.HookPostStop, 0, list, nil, records); !errors.As(err, &failed) || failed.ExitCode != 2 {
		t.Errorf("got %v, want exit 2", err)
	}
	err := newRunner().RunPhase(t.Context(), simkubev1.HookPostStop, 0, list, nil, records)
	if !errors.Is(err, ErrFailedBefore) || !strings.Contains(err.Error(), "[1]") {
		t.Errorf("again: got %v, want that the second has failed", err)
	}
	if got, _ := os.ReadFile(file); string(got) != "a\nb\nc\n" || len(*records) != len(list) {
		t.Errorf("ran %q, %d records", got, len(*records))
	}
	// An earlier process was interrupted during the first.
	begun := &memory{{Phase: simkubev1.HookPostStop, State: simkubev1.HookStarted}}
	if err := newRunner().RunPhase(t.Context(), simkubev1.HookPostStop, 0, list[:3], nil, begun); !errors.Is(err, ErrInterrupted) || len(*begun) != 3 {
		t.Errorf("interrupted: got %v, %d records", err, len(*begun))
	}
	// This process is interrupted after the first; the next one continues.
	ctx, cancel := context.WithCancel(t.Context())
	cut := &memory{}
	runner := newRunner()
	runner.OnDone = func(simkubev1.HookRecord, simkubev1.SimulationHook, error) { cancel() }
	if err := runner.RunPhase(ctx, simkubev1.HookPostStop, 0, list, nil, cut); err == nil || len(*cut) != 1 {
		t.Errorf("cancelled: got %v, %d records", err, len(*cut))
	}
}

// TestRunner_RunPhase_Escapes checks that control characters in the output of a command are escaped
// in its record.
func TestRunner_RunPhase_Escapes(t *testing.T) {
	var record simkubev1.HookRecord
	newRunner().end(&record, action.Result{ExitCode: 1}, &action.Error{Name: "sh", Err: errors.New("exit status 1"), Output: "\x1b[31mred\n\xff"})
	if want := "sh: exit status 1\n\\x1b[31mred\n\\xff"; record.Message != want {
		t.Errorf("got %q, want %q", record.Message, want)
	}
}
