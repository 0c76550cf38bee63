package subprocess

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// lateTime is how long a guard may take to end beyond the grace period of its program.
const lateTime = 5 * time.Second

// Options say what to start.
type Options struct {
	// Guard is the command, with its arguments, that runs the function Guard with Command and Grace.
	Guard []string
	// Command is a command line for sh.
	Command string
	// Env is the environment, as in os.Environ.
	Env []string
	// Output receives what the program prints. The caller closes it.
	Output *os.File
	// Grace is how long the program may take to end after SIGTERM.
	Grace time.Duration
}

// Exit is how a program has ended.
type Exit struct {
	// Status is the status in words, such as "exit status 3" or "signal: killed".
	Status string `json:"status"`
	// Success reports whether the exit status is 0.
	Success bool `json:"success"`
}

// Program is a program that was started. Its methods may be called concurrently.
type Program struct {
	grace  time.Duration
	guard  *exec.Cmd
	hold   *os.File // the guard ends the program when this is closed
	exited chan struct{}
	exit   Exit // set when exited is closed
	ended  chan struct{}
	once   sync.Once
}

// Start starts a program. It returns an error if the guard or the shell cannot be started; a
// command that the shell does not find ends with exit status 127. The program ends with this
// process at the latest, and then has Options.Grace to do so.
func Start(opts Options) (_ *Program, err error) {
	held, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reports, reportsWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, held.Close(), hold.Close())
	}
	p := &Program{grace: opts.Grace, hold: hold, exited: make(chan struct{}), ended: make(chan struct{})}
	p.guard = exec.Command(opts.Guard[0], opts.Guard[1:]...)
	p.guard.Env = opts.Env
	p.guard.Stdin, p.guard.Stdout, p.guard.Stderr = held, reportsWrite, opts.Output
	// The guard must outlive this process and its group.
	OwnGroup(p.guard)
	err = p.guard.Start()
	_, _ = held.Close(), reportsWrite.Close()
	if err != nil {
		return nil, errors.Join(err, hold.Close(), reports.Close())
	}
	lines := json.NewDecoder(reports)
	var first report
	err = lines.Decode(&first)
	switch {
	case err != nil:
		err = fmt.Errorf("read the guard's report: %w", err)
	case first.Error != "":
		err = errors.New(first.Error)
	}
	if err != nil {
		p.once.Do(func() { _ = hold.Close() })
		return nil, errors.Join(err, reports.Close(), p.guard.Wait())
	}
	go p.follow(lines, reports, first.PID)
	return p, nil
}

// follow reads the guard's reports until it ends.
func (p *Program) follow(lines *json.Decoder, reports *os.File, pid int) {
	defer close(p.ended)
	var last report
	if err := lines.Decode(&last); err == nil && last.Exit != nil {
		p.exit = *last.Exit
		close(p.exited)
		_ = p.guard.Wait()
	} else {
		// The guard was killed, and nothing else ends the program.
		_ = p.guard.Wait()
		_ = KillGroup(pid)
		p.exit = Exit{Status: "its guard ended with " + p.guard.ProcessState.String()}
		close(p.exited)
	}
	_ = reports.Close()
}

// Exited is closed when the program has ended. Processes that it has started may still run.
func (p *Program) Exited() <-chan struct{} { return p.exited }

// Exit returns how the program has ended, once Exited is closed.
func (p *Program) Exit() Exit {
	<-p.exited
	return p.exit
}

// Stop ends the program, and the processes in its group, with SIGTERM, and those that still run
// after the grace period with SIGKILL. It returns when none of them runs.
func (p *Program) Stop() {
	p.once.Do(func() { _ = p.hold.Close() })
	timer := time.NewTimer(p.grace + lateTime)
	defer timer.Stop()
	select {
	case <-p.ended:
		return
	case <-timer.C:
		_ = p.guard.Process.Kill() // follow then kills the program
	}
	<-p.ended
}

// Tail returns at most the last n lines of a file that are not empty, of its last 64 KiB.
func Tail(path string, n int) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	const most = 64 << 10
	data := make([]byte, min(info.Size(), most))
	got, _ := file.ReadAt(data, info.Size()-int64(len(data))) // what can be read is shown
	var out []string
	for line := range strings.Lines(string(data[:got])) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out[max(0, len(out)-n):]
}
