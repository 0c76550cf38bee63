package skcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/subprocess"
)

// outcome is what a child reported and how its process ended.
type outcome struct {
	done   *simulation.Done
	failed *simulation.Failed
	killed error // why it was, or would have been, killed
}

func (c *child) wait(ctx context.Context, opts Options) (*simulation.Done, error) {
	defer closeAll([]*os.File{c.control, c.messages, c.log})

	var out outcome
	read := make(chan struct{})
	invalidMessages := make(chan error, 1)
	dog := newWatchdog(opts)
	var estimate estimator
	go func() {
		defer close(read)
		err := readMessages(c.messages, func(msg simulation.Message) {
			dog.observe(msg)
			unpadPaths(&msg, c.paths)
			if msg.Progress != nil && opts.Spec.Time == simulation.Virtual {
				msg.Progress.ETA = estimate.eta(msg.Progress, time.Now())
			}
			switch {
			case msg.Done != nil:
				out.done = msg.Done
			case msg.Failed != nil:
				out.failed = msg.Failed
			case opts.OnMessage != nil:
				opts.OnMessage(msg)
			}
		})
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			invalidMessages <- err
		}
	}()
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = c.cmd.Wait() // the outcome is in ProcessState
	}()

	killed := c.supervise(ctx, opts, dog, exited, invalidMessages)

	// What the child wrote before it ended is still in the pipe. Only a process that it started can
	// keep the pipe open.
	_ = c.messages.SetReadDeadline(time.Now().Add(drainTime))
	<-read
	if killed == nil {
		select {
		case killed = <-invalidMessages:
		default:
		}
	}
	out.killed = killed
	if opts.OnEnd != nil {
		opts.OnEnd(usageOf(c.cmd.ProcessState))
	}
	return c.conclude(out)
}

// supervise waits until the process has ended, and returns the cause if it was killed.
func (c *child) supervise(ctx context.Context, opts Options, dog *watchdog, exited <-chan struct{}, invalidMessages <-chan error) error {
	grace := opts.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	var killed error
	kill := func(cause error) {
		if killed == nil {
			killed = cause
			_ = subprocess.KillGroup(c.cmd.Process.Pid)
		}
	}
	check := time.NewTicker(progressInterval)
	defer check.Stop()
	done, over := ctx.Done(), (<-chan time.Time)(nil)
	stop := opts.Kill
	var dumped <-chan time.Time
	for {
		select {
		case <-exited:
			return killed
		case <-check.C:
			now, _ := cpuTime(c.cmd.Process.Pid)
			if stalled := dog.tick(now); stalled && opts.Spec.Time == simulation.Virtual && killed == nil {
				killed = ErrStalled
				_ = dump(c.cmd.Process)
				timer := time.NewTimer(dumpTime)
				defer timer.Stop()
				dumped = timer.C
			}
		case <-dumped:
			dumped = nil
			_ = subprocess.KillGroup(c.cmd.Process.Pid)
		case <-done:
			done = nil
			if !dog.started() {
				kill(errNotStarted)
				continue
			}
			c.sendControl(simulation.Control{Interrupt: true})
			timer := time.NewTimer(grace)
			defer timer.Stop()
			over = timer.C
		case <-over:
			over = nil
			kill(ErrGrace)
		case <-stop:
			stop = nil
			kill(ErrKilled)
		case err := <-invalidMessages:
			kill(err)
		}
	}
}

// conclude converts an outcome to Simulate's result. The log is only kept if it is needed to
// explain an error.
func (c *child) conclude(out outcome) (*simulation.Done, error) {
	status := c.cmd.ProcessState.String()
	crash := &CrashError{Status: status, Cause: out.killed}
	switch {
	case out.killed == nil && out.done != nil:
		return out.done, c.folder.Close()
	case out.killed == nil && out.failed != nil:
		return nil, errors.Join(&FailedError{*out.failed}, c.folder.Close())
	case errors.Is(out.killed, errNotStarted):
		failed := simulation.Failed{Error: errNotStarted.Error(), Interrupted: true}
		return nil, errors.Join(&FailedError{failed}, c.folder.Close())
	case errors.Is(out.killed, ErrKilled):
		return nil, errors.Join(crash, c.folder.Close())
	case out.killed == nil:
		crash.Tail = c.output.lines(tailLines)
	}
	var err error
	if crash.Log, err = c.keepLog(status); err != nil {
		crash.Log = ""
	}
	return nil, errors.Join(crash, c.folder.Close())
}

// keepLog appends the child's output to its log, and moves the log to where it is kept.
func (c *child) keepLog(status string) (string, error) {
	if _, err := c.log.Seek(0, io.SeekEnd); err != nil {
		return "", err
	}
	_, err := fmt.Fprintf(c.log, "\n--- standard output and error of sk-cluster, which ended with %s ---\n%s", status, c.output.bytes())
	if err != nil {
		return "", err
	}
	place, err := os.CreateTemp(filepath.Dir(c.folder.Path()), scratch.LogPrefix+"*.txt")
	if err != nil {
		return "", err
	}
	if err := errors.Join(place.Close(), os.Rename(c.log.Name(), place.Name())); err != nil {
		return "", errors.Join(err, os.Remove(place.Name()))
	}
	return place.Name(), nil
}
