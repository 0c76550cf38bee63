// Command playback runs a program in virtual time for a caller that is not in virtual time, such as
// go test with -exec.
//
//	playback [-limit DURATION] PROGRAM [ARG...]
//
// It removes the headers from the program's output that the Go runtime's fake clock writes for the
// Go playground, and exits with the program's exit code. The program's own clock does not measure
// how long it takes, so the limit does: after it the program must print its goroutines, and is
// killed.
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
	// killDelay is how long a program may take to end after it is told to.
	killDelay = 10 * time.Second
)

func main() {
	// The kernel kills the program when the thread that started it ends, even if the process goes on.
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
	p := player{limit: *limit, grace: killDelay, signals: signals}
	code, err := p.play(flag.Args(), os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "playback:", err)
	}
	os.Exit(code)
}

// player runs programs.
type player struct {
	limit   time.Duration    // how long a program may take, or 0
	grace   time.Duration    // how long a program may take to end after it is told to
	signals <-chan os.Signal // passed on to the program
}

// play runs a program and returns its exit code. Processes that the program has left are killed.
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
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the rest of its group, if any

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

// watch forwards signals to a process until it has ended. After the first signal, or at the limit,
// it kills the process if that does not end by itself.
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
			// A Go program, and those it has started, print their goroutines.
			_ = syscall.Kill(-pid, syscall.SIGQUIT)
			kill = time.After(p.grace)
		case <-kill:
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
}
