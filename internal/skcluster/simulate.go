package skcluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"simkube.io/simkube/internal/playback"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/subprocess"
)

const (
	// defaultGrace is how long an interrupted simulation may take to write its results. That takes
	// seconds, but results must not be lost on a slow disk.
	defaultGrace = 2 * time.Minute
	// drainTime is how long the child's pipes may stay open after it has ended, in processes that it
	// started.
	drainTime = 2 * time.Second
	// dumpTime is how long a stalled child may take to print the stacks of its goroutines.
	dumpTime = 10 * time.Second
	// tailSize is enough for the stacks of several thousand goroutines.
	tailSize = 16 << 20
	// progressInterval is how often the watchdog checks whether the child has reported anything.
	progressInterval = 200 * time.Millisecond
	tailLines        = 12
)

// ErrGrace is wrapped if an interrupted simulation did not end in time.
var ErrGrace = errors.New("the simulation did not end in time and was killed")

// ErrKilled is wrapped if a simulation was killed because Options.Kill was closed.
var ErrKilled = errors.New("the simulation was killed before it wrote its results")

// errNotStarted is the cause with which a simulation is killed that is interrupted before it
// replays anything.
var errNotStarted = errors.New("interrupted before anything was replayed")

// ErrStalled is wrapped if a simulation in virtual time stalled.
var ErrStalled = errors.New("the simulation stalled and was ended")

// Options configure a simulation.
type Options struct {
	// Path is the sk-cluster to run; see Find.
	Path string
	// Spec is what to simulate.
	Spec simulation.Spec
	// OnMessage, if not nil, is called with each Note and Progress. Calls do not overlap.
	OnMessage func(simulation.Message)
	// Kill, once closed, ends the simulation without results. Nil means never.
	Kill <-chan struct{}
	// Grace is how long the simulation may take to end after ctx was cancelled. Default: two minutes.
	Grace time.Duration
	// Stall is how long a simulation in virtual time may make no progress before it is ended, with the
	// stacks of its goroutines in the log. Default: 30 seconds.
	Stall time.Duration
	// Env are additional environment variables ("NAME=value") of the child. They override those of
	// this process.
	Env []string
	// LogDir is the folder for the simulation's log, which is kept if the simulation crashes. Default:
	// the system's folder for temporary files.
	LogDir string
	// OnEnd, if not nil, is called with the child's usage once it has ended, however it did, before
	// Simulate returns.
	OnEnd func(Usage)
	// Args replace the arguments of sk-cluster. Default: simulate.
	Args []string
}

// Usage is what a process used.
type Usage struct {
	// PeakMemory is the maximum resident memory in bytes; 0 if the system does not report it.
	PeakMemory int64
}

// Simulate runs a simulation in a child process and returns its result. When ctx is cancelled, the
// simulation is asked to write the results so far, and is killed if that takes longer than the
// grace period; one that has not started to replay is killed at once. When Simulate returns, the
// process, its goroutines and the control plane's data are gone.
//
// Errors: a *results.ExistsError if the output folder is not empty; a *FailedError if sk-cluster
// reports that the simulation failed, or it was interrupted before it replayed anything; a
// *CrashError if sk-cluster ended without a report or was killed.
func Simulate(ctx context.Context, opts Options) (*simulation.Done, error) {
	if err := results.CheckOutput(opts.Spec.Output, opts.Spec.Overwrite); err != nil {
		return nil, err
	}
	child, err := start(opts)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", opts.Path, err)
	}
	done, err := child.wait(ctx, opts)
	// A control plane that was killed leaves its data.
	scratch.Sweep(scratch.DataParent(), scratch.DataPrefix)
	return done, err
}

// child is a running sk-cluster with this process's ends of its pipes.
type child struct {
	cmd      *exec.Cmd
	control  *os.File
	messages *os.File
	folder   *scratch.Folder
	log      *os.File
	output   *ring
	paths    *strings.Replacer
}

func start(opts Options) (_ *child, err error) {
	folder, err := scratch.New(opts.LogDir, scratch.RunPrefix)
	if err != nil {
		return nil, err
	}
	var opened []*os.File
	defer func() {
		if err != nil {
			closeAll(opened)
			err = errors.Join(err, folder.Close())
		}
	}()
	opts.Spec.Scratch, opts.Spec.Spare = folder.Path(), os.TempDir()
	handed, paths := padPaths(opts.Spec)
	spec, err := json.Marshal(handed)
	if err != nil {
		return nil, fmt.Errorf("encode specification: %w", err)
	}
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
	// The child writes its log to a file directly, so nothing needs to read it.
	log, err := os.Create(folder.Join(logFile))
	if err != nil {
		return nil, err
	}
	opened = append(opened, log)

	c := &child{control: control, messages: messages, folder: folder, log: log, output: newRing(tailSize), paths: paths}
	args := opts.Args
	if args == nil {
		args = []string{"simulate"}
	}
	c.cmd = exec.Command(opts.Path, args...)
	c.cmd.Env = environment(opts)
	printed := playback.NewWriter(c.output) // without effect on the wall clock
	c.cmd.Stdout, c.cmd.Stderr = printed, printed
	c.cmd.WaitDelay = drainTime
	c.cmd.ExtraFiles = []*os.File{controlRead, messagesWrite, log} // descriptors 3, 4 and 5
	// Ctrl-C in the terminal interrupts only this process, which then asks the child to end.
	subprocess.OwnGroup(c.cmd)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	// Only the child holds its ends from here on, so that each side notices the other's end.
	closeAll([]*os.File{controlRead, messagesWrite})
	c.send(append(spec, '\n'))
	return c, nil
}

// sendControl sends a Control.
func (c *child) sendControl(control simulation.Control) {
	line, err := json.Marshal(control)
	if err != nil {
		panic(err) // a boolean always encodes
	}
	c.send(append(line, '\n'))
}

// send writes to the control pipe. It ignores errors, because the end of the child is noticed
// otherwise, and does not wait for a child that does not read.
func (c *child) send(line []byte) {
	_ = c.control.SetWriteDeadline(time.Now().Add(drainTime))
	_, _ = c.control.Write(line)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
