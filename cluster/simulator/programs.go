package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apiserver/pkg/authentication/user"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/subprocess"
	"simkube.io/simkube/internal/words"
)

const (
	// programGrace is how long a program may take to end after SIGTERM.
	programGrace = 5 * time.Second
	// programTail is how many lines of a program's output an error has, each of programLine bytes at
	// most.
	programTail = 12
	programLine = 500
)

// programs are the programs that run beside a simulation, each with an account of its own. They
// implement simulation.Programs.
type programs struct {
	list []*program
	dir  string
	env  []string
}

var _ simulation.Programs = (*programs)(nil)

// program is one of them, which is a component of the control plane: its failure is that of the
// component.
type program struct {
	name       string
	command    string
	log        string // the path of its output
	kubeconfig string // set when the component is started
	begun      chan struct{}

	mu      sync.Mutex // guards the rest
	report  func(simulation.Message)
	running *subprocess.Program // set when begun is closed
	stopped bool                // or is being stopped
}

// newPrograms returns the programs of a spec, none of which runs.
func newPrograms(spec simulation.Spec) (*programs, error) {
	p := &programs{dir: spec.Scratch}
	if len(spec.With) == 0 {
		return p, nil
	}
	if virtualtime.Enabled {
		return nil, errors.New("programs beside the replay need the wall clock")
	}
	if spec.Scratch == "" {
		return nil, errors.New("programs beside the replay need a temporary folder")
	}
	speed := spec.Speed
	if speed == 0 {
		speed = 1
	}
	p.env = append(os.Environ(), "SIMKUBE_SPEED="+strconv.FormatFloat(speed, 'g', -1, 64))
	for i, command := range spec.With {
		name := fmt.Sprintf("with-%d", i+1)
		p.list = append(p.list, &program{
			name: name, command: command, log: filepath.Join(p.dir, name+".log"), begun: make(chan struct{}),
		})
	}
	return p, nil
}

// options returns the options of the simulation.
func (p *programs) options() simulation.Options {
	if len(p.list) == 0 {
		return simulation.Options{}
	}
	return simulation.Options{Programs: p}
}

// components returns a component for each program.
func (p *programs) components() []controlplane.Component {
	var out []controlplane.Component
	for _, program := range p.list {
		out = append(out, controlplane.Component{
			Name:    program.name,
			Groups:  []string{user.SystemPrivilegedGroup},
			Outside: true,
			Start: func(_ context.Context, access controlplane.Access) (controlplane.Instance, error) {
				program.kubeconfig = access.Kubeconfig
				return controlplane.Instance{Run: program.run}, nil
			},
		})
	}
	return out
}

// Start implements simulation.Programs.
func (p *programs) Start(_ context.Context, report func(simulation.Message)) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program of sk-cluster: %w", err)
	}
	for _, program := range p.list {
		if err := program.start([]string{self, guardCommand, "--", program.command}, p.env, report); err != nil {
			return fmt.Errorf("start --with %q: %w", program.command, err)
		}
	}
	return nil
}

func (p *program) start(guard, env []string, report func(simulation.Message)) error {
	log, err := os.Create(p.log)
	if err != nil {
		return err
	}
	defer log.Close()
	running, err := subprocess.Start(subprocess.Options{
		Guard:   guard,
		Command: p.command,
		Env:     append(env[:len(env):len(env)], "KUBECONFIG="+p.kubeconfig),
		Output:  log,
		Grace:   programGrace,
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running, p.report = running, report
	close(p.begun)
	return nil
}

// run is the Run of the component. It returns an error if the program fails before it is stopped. A
// program that succeeds is done with its work.
func (p *program) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-p.begun:
	}
	select {
	case <-ctx.Done():
		return nil
	case <-p.running.Exited():
	}
	p.mu.Lock()
	stopped := p.stopped
	p.mu.Unlock()
	exit := p.running.Exit()
	switch {
	case stopped:
	case !exit.Success:
		return p.failed(exit)
	default:
		p.report(simulation.Message{Note: &simulation.Note{Level: simulation.Info, Text: fmt.Sprintf(
			"--with %q ended with %s before the end of the replay", p.command, exit.Status)}})
	}
	<-ctx.Done()
	return nil
}

// Stop implements simulation.Programs.
func (p *programs) Stop() []results.File {
	var all sync.WaitGroup
	var files []results.File
	for _, program := range p.list {
		program.mu.Lock()
		program.stopped = true
		if running := program.running; running != nil {
			all.Go(running.Stop)
			files = append(files, results.File{Name: program.name + ".log", Path: program.log})
		}
		program.mu.Unlock()
	}
	all.Wait()
	return files
}

// programError says how a program failed.
type programError struct {
	command string
	status  string
	tail    []string
	log     string // the path of its output; empty if it could not be kept
}

// failed returns the program's error, and keeps its output, for which there will be no results.
func (p *program) failed(exit subprocess.Exit) *programError {
	err := &programError{command: p.command, status: exit.Status}
	for _, line := range subprocess.Tail(p.log, programTail) {
		err.tail = append(err.tail, words.ClipBytes(line, programLine))
	}
	err.log, _ = keepOutput(p.log) // the error has the last lines without it
	return err
}

// keepOutput copies the output of a program to a file that is not removed at the end.
func keepOutput(path string) (_ string, err error) {
	from, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.CreateTemp("", scratch.LogPrefix+"*.txt")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return "", errors.Join(err, os.Remove(to.Name()))
	}
	return to.Name(), nil
}

// Error returns the command, how it ended, and the last lines of its output.
func (e *programError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--with %q ended with %s before the end of the replay", e.command, e.status)
	for _, line := range e.tail {
		b.WriteString("\n    " + line)
	}
	return b.String()
}

func (e *programError) hint() string {
	if e.log == "" {
		return ""
	}
	return "its whole output is in " + e.log
}
