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
)

// outcome is what a child said and how its process ended.
type outcome struct {
	done   *simulation.Done
	failed *simulation.Failed
	killed error // why we killed it, or would have
}

func (c *child) wait(ctx context.Context, opts Options) (*simulation.Done, error) {
	defer closeAll([]*os.File{c.control, c.messages, c.log})

	var out outcome
	read := make(chan struct{})
	misunderstood := make(chan error, 1)
	dog := newWatchdog(opts)
	var estimate estimator
	go func() {
		defer close(read)
		err := readMessages(c.messages, func(msg simulation.Message) {
			dog.saw(msg)
			plain(&msg, c.paths)
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
			misunderstood <- err
		}
	}()
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = c.cmd.Wait() // how it ended is in ProcessState
	}()

	killed := c.supervise(ctx, opts, dog, exited, misunderstood)

	// What the child wrote before it ended is still in the pipe; only a process it left
	// behind can keep it open.
	_ = c.messages.SetReadDeadline(time.Now().Add(drainTime))
	<-read
	if killed == nil {
		select {
		case killed = <-misunderstood:
		default:
		}
	}
	out.killed = killed
	if opts.OnEnd != nil {
		opts.OnEnd(usageOf(c.cmd.ProcessState))
	}
	return c.conclude(out)
}

// supervise returns when the process has ended, with the reason if it was killed.
func (c *child) supervise(ctx context.Context, opts Options, dog *watchdog, exited <-chan struct{}, misunderstood <-chan error) error {
	grace := opts.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	var killed error
	kill := func(cause error) {
		if killed == nil {
			killed = cause
			_ = killGroup(c.cmd.Process)
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
			used, _ := cpuTime(c.cmd.Process.Pid)
			if stalled := dog.tick(used); stalled && opts.Spec.Time == simulation.Virtual && killed == nil {
				killed = ErrStalled
				_ = dump(c.cmd.Process)
				timer := time.NewTimer(dumpTime)
				defer timer.Stop()
				dumped = timer.C
			}
		case <-dumped:
			dumped = nil
			_ = killGroup(c.cmd.Process)
		case <-done:
			done = nil
			if !dog.begun() {
				kill(errNothingYet)
				continue
			}
			c.tell(simulation.Control{Interrupt: true})
			timer := time.NewTimer(grace)
			defer timer.Stop()
			over = timer.C
		case <-over:
			over = nil
			kill(ErrGrace)
		case <-stop:
			stop = nil
			kill(ErrKilled)
		case err := <-misunderstood:
			kill(err)
		}
	}
}

// conclude turns an outcome into Simulate's result. The log goes, unless it is needed to understand
// what happened.
func (c *child) conclude(out outcome) (*simulation.Done, error) {
	status := c.cmd.ProcessState.String()
	crash := &CrashError{Status: status, Cause: out.killed}
	switch {
	case out.killed == nil && out.done != nil:
		return out.done, c.folder.Close()
	case out.killed == nil && out.failed != nil:
		return nil, errors.Join(&FailedError{*out.failed}, c.folder.Close())
	case errors.Is(out.killed, errNothingYet):
		failed := simulation.Failed{Error: errNothingYet.Error(), Interrupted: true}
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

// keepLog adds what the child printed to the end of its log, and moves that to where it stays.
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
