// Command playback runs a program in virtual time for somebody who is not: go test, with -exec.
//
//	playback [-limit DURATION] PROGRAM [ARG...]
//
// It takes the headers out of the program's output that the Go runtime's fake clock writes there for the Go playground, and exits
// with the program's code. Since the program's own clock says nothing about how long it takes, the limit does: after it the program
// has to show what its goroutines are doing, and is killed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"simkube.io/simkube/internal/playback"
)

const (
	failed = 1
	usage  = 2
	// bySignal is added to the number of the signal that ended the program, as shells do.
	bySignal = 128
	// patience is how long a program that is asked to end may take.
	patience = 10 * time.Second
)

func main() {
	// The kernel kills the program when the thread that started it is gone, not only with the whole process.
	runtime.LockOSThread()
	limit := flag.Duration("limit", 0, "kill the program after this time (0: never)")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: playback [-limit DURATION] PROGRAM [ARG...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(usage)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	p := player{limit: *limit, grace: patience, signals: signals}
	code, err := p.play(flag.Args(), os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "playback:", err)
	}
	os.Exit(code)
}

// player runs programs.
type player struct {
	limit   time.Duration    // how long a program may take, or 0
	grace   time.Duration    // how long a program that is asked to end may take
	signals <-chan os.Signal // passed on to the program
}

// play runs a program and returns its exit code. What the program has started and left behind goes with it.
func (p player) play(args []string, in io.Reader, out, errOut io.Writer) (int, error) {
	stdout, stderr := playback.NewWriter(out), playback.NewWriter(errOut)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, stdout, stderr
	cmd.SysProcAttr = bound()
	cmd.WaitDelay = p.grace
	if err := cmd.Start(); err != nil {
		return failed, fmt.Errorf("start the program: %w", err)
	}
	ended := make(chan struct{})
	var late error
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		late = p.watch(cmd.Process.Pid, ended)
	}()
	err := cmd.Wait()
	close(ended)
	<-watched
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what is left of its group, mostly nothing

	var exit *exec.ExitError
	code := cmd.ProcessState.ExitCode()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = bySignal + int(status.Signal())
	}
	if errors.As(err, &exit) {
		err = nil
	}
	if err = errors.Join(late, err, stdout.Flush(), stderr.Flush()); err != nil && code == 0 {
		code = failed
	}
	return code, err
}

// errLimit is returned for a program that took too long.
var errLimit = errors.New("the program took too long")

// watch passes signals on to a process until it has ended, and after one, or at its limit, kills it in the end.
func (p player) watch(pid int, ended <-chan struct{}) (err error) {
	var over, kill <-chan time.Time
	if p.limit > 0 {
		over = time.After(p.limit)
	}
	for {
		select {
		case <-ended:
			return err
		case s := <-p.signals:
			if s, ok := s.(syscall.Signal); ok {
				_ = syscall.Kill(-pid, s) // it may have ended just now
			}
			kill = time.After(p.grace)
		case <-over:
			err = fmt.Errorf("%w: %v", errLimit, p.limit)
			_ = syscall.Kill(-pid, syscall.SIGQUIT) // has a Go program show its goroutines, and those it has started
			kill = time.After(p.grace)
		case <-kill:
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
}
