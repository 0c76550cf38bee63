package skcluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"simkube.io/simkube/internal/playback"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

const (
	// defaultGrace is how long an interrupted simulation may take to clean up. The
	// deletion of a large simulation takes a while.
	defaultGrace = 2 * time.Minute
	// drainTime is how long, after the child has ended, its pipes may stay open in
	// processes it left behind.
	drainTime = 2 * time.Second
	// dumpTime is how long a child that stands still has to write down what its goroutines do.
	dumpTime = 10 * time.Second
	// tailSize holds such a dump of some thousand goroutines.
	tailSize = 16 << 20
	// progressInterval is how often it is checked whether a child has told anything.
	progressInterval = 200 * time.Millisecond
	tailLines        = 12
)

// ErrGrace is wrapped when an interrupted simulation did not end in time.
var ErrGrace = errors.New("the simulation did not clean up in time and was killed")

// ErrKilled is wrapped when a simulation was killed at the caller's wish.
var ErrKilled = errors.New("the simulation was killed before it cleaned up")

// ErrStalled is wrapped when a simulation in virtual time stood still.
var ErrStalled = errors.New("the simulation stood still and was ended")

// Options say how to run a simulation.
type Options struct {
	// Path is the sk-cluster to run, see Find.
	Path string
	// Spec is what to simulate.
	Spec simulation.Spec
	// OnMessage is called with each Note and Progress, one at a time; nil for nobody.
	OnMessage func(simulation.Message)
	// Kill, once closed, ends the simulation without clean-up. Nil: never.
	Kill <-chan struct{}
	// Grace is how long the simulation may take to end after ctx has ended. Default:
	// two minutes.
	Grace time.Duration
	// Stall is how long a simulation in virtual time may stand still before it is ended, with the state of
	// all its goroutines in the log. Default: 30 seconds.
	Stall time.Duration
	// Env are further environment variables ("NAME=value") of the child; they win over those of this process.
	Env []string
	// LogDir is the folder of the log, which stays there if the simulation fails. Default: the system's for temporary files.
	LogDir string
	// OnEnd is told what the child used once it has ended, however it did, before Simulate returns; nil for nobody.
	OnEnd func(Usage)
	// Args replace the arguments of sk-cluster. Default: simulate.
	Args []string
}

// Usage is what a process took of the machine.
type Usage struct {
	// PeakMemory is the most memory that was resident at once, in bytes; 0 where the system does not tell.
	PeakMemory int64
}

// Simulate runs a simulation in a child process and returns how it ended. When ctx ends,
// the simulation is asked to clean up and report what it has; it is killed if that takes
// longer than the grace period. No process and no goroutine is left on return.
//
// Errors: a *results.ExistsError when the output folder is not free, a *FailedError when sk-cluster says that the
// simulation failed, a *CrashError when it cannot say so any more or was killed.
func Simulate(ctx context.Context, opts Options) (*simulation.Done, error) {
	if err := results.CheckOutput(opts.Spec.Output, opts.Spec.Overwrite); err != nil {
		return nil, err
	}
	child, err := start(opts)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", opts.Path, err)
	}
	return child.wait(ctx, opts)
}

// child is a running sk-cluster and our ends of its pipes.
type child struct {
	cmd      *exec.Cmd
	control  *os.File
	messages *os.File
	log      *os.File
	output   *ring
	paths    *strings.Replacer
}

func start(opts Options) (_ *child, err error) {
	handed, paths := padded(opts.Spec)
	spec, err := json.Marshal(handed)
	if err != nil {
		return nil, fmt.Errorf("encode specification: %w", err)
	}
	var opened []*os.File
	defer func() {
		if err != nil {
			closeAll(opened)
		}
	}()
	controlRead, control, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	opened = append(opened, controlRead, control)
	messages, messagesWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	opened = append(opened, messages, messagesWrite)
	// The log goes to a file directly: nobody has to keep up with it.
	log, err := os.CreateTemp(opts.LogDir, "simkube-log-*.txt")
	if err != nil {
		return nil, err
	}
	opened = append(opened, log)
	defer func() {
		if err != nil {
			_ = os.Remove(log.Name())
		}
	}()

	c := &child{control: control, messages: messages, log: log, output: newRing(tailSize), paths: paths}
	args := opts.Args
	if args == nil {
		args = []string{"simulate"}
	}
	c.cmd = exec.Command(opts.Path, args...)
	c.cmd.Env = environment(opts)
	printed := playback.NewWriter(c.output) // on the wall clock it has nothing to take out
	c.cmd.Stdout, c.cmd.Stderr = printed, printed
	c.cmd.WaitDelay = drainTime
	c.cmd.ExtraFiles = []*os.File{controlRead, messagesWrite, log} // descriptors 3, 4 and 5
	ownGroup(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	// From here on only the child holds its ends, so that both sides see the other go.
	closeAll([]*os.File{controlRead, messagesWrite})
	c.send(append(spec, '\n'))
	return c, nil
}

// tell writes a Control.
func (c *child) tell(control simulation.Control) {
	line, err := json.Marshal(control)
	if err != nil {
		panic(err) // a boolean always encodes
	}
	c.send(append(line, '\n'))
}

// send writes to the control pipe. A child that is gone shows by its end, and one that
// does not read must not hold us up.
func (c *child) send(line []byte) {
	_ = c.control.SetWriteDeadline(time.Now().Add(drainTime))
	_, _ = c.control.Write(line)
}

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
			if stalled := dog.tick(); stalled && opts.Spec.Time == simulation.Virtual && killed == nil {
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

// conclude turns an outcome into Simulate's result, and removes the log unless it is
// needed to understand what happened.
func (c *child) conclude(out outcome) (*simulation.Done, error) {
	switch {
	case out.killed == nil && out.done != nil:
		_ = os.Remove(c.log.Name())
		return out.done, nil
	case out.killed == nil && out.failed != nil:
		_ = os.Remove(c.log.Name())
		return nil, &FailedError{*out.failed}
	case errors.Is(out.killed, ErrKilled):
		_ = os.Remove(c.log.Name())
		return nil, &CrashError{Status: c.cmd.ProcessState.String(), Cause: out.killed}
	}
	status := c.cmd.ProcessState.String()
	crash := &CrashError{Status: status, Cause: out.killed, Log: c.log.Name()}
	if out.killed == nil {
		crash.Tail = c.output.lines(tailLines)
	}
	if err := c.saveOutput(status); err != nil {
		crash.Log = ""
	}
	return nil, crash
}

// saveOutput adds what the child printed to the end of its log.
func (c *child) saveOutput(status string) error {
	if _, err := c.log.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.log, "\n--- standard output and error of sk-cluster, which ended with %s ---\n%s", status, c.output.bytes())
	return err
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
