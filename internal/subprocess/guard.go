package subprocess

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// groupPoll is how often a guard looks whether the processes of a group have ended.
const groupPoll = 50 * time.Millisecond

// report is a line of JSON from a guard to the process that started it. Exactly one field is set.
type report struct {
	PID   int    `json:"pid,omitempty"`   // the program was started
	Error string `json:"error,omitempty"` // it could not be started
	Exit  *Exit  `json:"exit,omitempty"`  // it has ended
}

// Guard is the main function of the guard that [Start] runs. It runs a command line with sh, and
// ends the program, with every process in its group, when the standard input ends: with SIGTERM,
// and with SIGKILL after the grace period. The standard input ends with the process that holds its
// other end, even if that is killed. The program writes to the standard error of the guard; the
// standard output is for reports to Start.
func Guard(command string, grace time.Duration) error {
	// A write to a pipe without a reader must not end the guard. Signals that are ignored would be
	// ignored by the program, too; these are only caught.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGPIPE)
	defer signal.Stop(caught)
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()

	reports := json.NewEncoder(os.Stdout)
	cmd := exec.Command("sh", "-c", command)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	OwnGroup(cmd)
	if err := cmd.Start(); err != nil {
		return reports.Encode(report{Error: err.Error()})
	}
	_ = reports.Encode(report{PID: cmd.Process.Pid}) // without a reader the standard input ends, too
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // how it ended is in ProcessState
		_ = reports.Encode(report{Exit: exitOf(cmd.ProcessState)})
	}()
	return guardGroup(cmd.Process.Pid, stop.Done(), exited, grace)
}

// guardGroup returns when the process pid has exited and no other process of its group runs. Once
// stop is closed, it ends them.
func guardGroup(pid int, stop, exited <-chan struct{}, grace time.Duration) error {
	poll := time.NewTicker(groupPoll)
	defer poll.Stop()
	var over <-chan time.Time
	// Until the process has exited its id, and so that of the group, belongs to no other.
	for leader := true; leader || groupRuns(pid); {
		select {
		case <-exited:
			leader, exited = false, nil
		case <-stop:
			stop = nil
			if err := terminateGroup(pid); err != nil {
				return fmt.Errorf("end the program: %w", err)
			}
			timer := time.NewTimer(grace)
			defer timer.Stop()
			over = timer.C
		case <-over:
			over = nil
			if err := KillGroup(pid); err != nil {
				return fmt.Errorf("kill the program: %w", err)
			}
		case <-poll.C:
		}
	}
	return nil
}

// exitOf returns how a process has ended.
func exitOf(state *os.ProcessState) *Exit {
	return &Exit{Status: state.String(), Success: state.Success()}
}
