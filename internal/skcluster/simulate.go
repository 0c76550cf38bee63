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
)

const (
	// defaultGrace is how long an interrupted simulation may take to write what it has. It takes
	// seconds; but a slow disk must not cost the results.
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
var ErrGrace = errors.New("the simulation did not end in time and was killed")

// ErrKilled is wrapped when a simulation was killed at the caller's wish.
var ErrKilled = errors.New("the simulation was killed before it wrote its results")

// errNothingYet is why a simulation is killed that is interrupted before it replays anything.
var errNothingYet = errors.New("interrupted before anything was replayed")

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
	// Kill, once closed, ends the simulation without results. Nil: never.
	Kill <-chan struct{}
	// Grace is how long the simulation may take to end after ctx has ended. Default:
	// two minutes.
	Grace time.Duration
	// Stall is how long a simulation in virtual time may stand still before it is ended, with the state of
	// all its goroutines in the log. Default: 30 seconds.
	Stall time.Duration
	// Env are further environment variables ("NAME=value") of the child; they win over those of this process.
	Env []string
	// LogDir is where the simulation has a folder for its log, and where the log stays if the
	// simulation crashes. Default: the system's folder for temporary files.
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

// Simulate runs a simulation in a child process and returns how it ended. When ctx ends, the
// simulation is asked to report what it has, and is killed if that takes longer than the grace
// period; one that has not begun to replay is killed at once. No process, no goroutine and no data
// of the control plane is left on return.
//
// Errors: a *results.ExistsError when the output folder is not free, a *FailedError when sk-cluster
// says that the simulation failed or it was interrupted before it replayed anything, a *CrashError
// when it cannot say so any more or was killed.
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

// child is a running sk-cluster and our ends of its pipes.
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
	handed, paths := padded(opts.Spec)
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
	// The log goes to a file directly: nobody has to keep up with it.
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

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
