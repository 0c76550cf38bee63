package action

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	simkubev1 "simkube.io/simkube/api/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRunner() *Runner { return &Runner{Logger: slog.New(slog.DiscardHandler)} }

func sh(script string) simkubev1.SimulationHook {
	return simkubev1.SimulationHook{Cmd: "sh", Args: []string{"-c", script}}
}

func TestRunner_Run(t *testing.T) {
	send := sh("cat")
	send.SendSim = true
	sim := &simkubev1.Simulation{}
	sim.Name = "mine"
	got, err := newRunner().Run(t.Context(), send, sim)
	if err != nil || !strings.Contains(got.Output, `"name":"mine"`) {
		t.Errorf("sendSim: got %+v, %v", got, err)
	}
	var failed *Error
	if _, err = newRunner().Run(t.Context(), sh("echo no >&2; exit 3"), sim); !errors.As(err, &failed) || failed.ExitCode != 3 || failed.Output != "no\n" || failed.Timeout {
		t.Errorf("exit 3: got %v", err)
	}
	if _, err = newRunner().Run(t.Context(), simkubev1.SimulationHook{Cmd: "no-such-program"}, sim); err == nil || !strings.Contains(err.Error(), "add it to the image") {
		t.Errorf("no program: got %v", err)
	}
	slow, second := sh("sleep 50 & sleep 50"), int32(1)
	slow.TimeoutSeconds = &second
	begin := time.Now()
	if _, err = newRunner().Run(t.Context(), slow, sim); !errors.As(err, &failed) || !failed.Timeout || time.Since(begin) > waitDelay {
		t.Errorf("timeout: got %v after %v", err, time.Since(begin))
	}
}

// TestRunner_Run_Background checks that a child that holds the output open does not delay the
// result.
func TestRunner_Run_Background(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	result, err := newRunner().Run(t.Context(), sh("(sleep 3; touch "+done+") & echo started"), &simkubev1.Simulation{})
	if err != nil || result.ExitCode != 0 || result.Output != "started\n" {
		t.Errorf("got %+v, %v", result, err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(done); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("what ran in the background did not go on")
		}
	}
}

// TestRunner_Run_Output checks that the log has all output, in lines of a limited length, and the
// result the end.
func TestRunner_Run_Output(t *testing.T) {
	var log bytes.Buffer
	runner := &Runner{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	result, err := runner.Run(t.Context(), sh("head -c 5000 /dev/zero | tr '\\0' x; echo; echo end"), &simkubev1.Simulation{})
	if err != nil || len(result.Output) != tailSize || !strings.HasSuffix(result.Output, "x\nend\n") {
		t.Errorf("the end of the output is %d bytes, %v", len(result.Output), err)
	}
	if got := strings.Count(log.String(), "x"); got != 5000 || !strings.Contains(log.String(), "line=end") {
		t.Errorf("the log has %d of 5000 letters: %s", got, log.String())
	}
	for line := range strings.Lines(log.String()) {
		if len(line) > maxLine+200 {
			t.Errorf("a line of the log has %d bytes", len(line))
		}
	}
}
