package app

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/simulation"
)

// bootLead is how much virtual time there is for the control plane and its nodes to come up before
// the first event of the trace.
const bootLead = time.Minute

func newSimulate() *cobra.Command {
	return &cobra.Command{
		Use:   "simulate",
		Short: "Run one simulation for skctl, which talks to it over inherited pipes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			began := virtualtime.Real()
			control, spec, err := openControl()
			if err != nil {
				return err
			}
			messages, err := inherited(simulation.MessageFD, "messages")
			if err != nil {
				return err
			}
			log, err := inherited(simulation.LogFD, "log")
			if err != nil {
				return err
			}
			return runSimulate(cmd.Context(), control, spec, &messenger{enc: json.NewEncoder(messages)}, log, began)
		},
	}
}

// inherited opens a file descriptor the parent process must have left open.
func inherited(fd uintptr, what string) (*os.File, error) {
	f := os.NewFile(fd, what)
	if f == nil {
		return nil, fmt.Errorf("no %s on file descriptor %d: this command is for skctl simulate", what, fd)
	}
	if _, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("no %s on file descriptor %d: this command is for skctl simulate: %w", what, fd, err)
	}
	return f, nil
}

// openControl reads the spec, which is the first line of the control pipe, and opens the rest of it. A read that
// waits must not hold a thread in a system call, where virtual time would stand still, so the
// pipe is opened for the runtime's poller. The spec is read before that, since a process that waits for
// nothing but the poller is dead in the eyes of the virtual clock.
func openControl() (io.Reader, simulation.Spec, error) {
	var spec simulation.Spec
	var line []byte
	for b := make([]byte, 1); !bytes.HasSuffix(line, []byte{'\n'}); line = append(line, b[0]) {
		n, err := syscall.Read(simulation.ControlFD, b)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return nil, spec, fmt.Errorf("no control on file descriptor %d: this command is for skctl simulate: %w", simulation.ControlFD, err)
		case n == 0:
			return nil, spec, fmt.Errorf("read the simulation's spec: %w", io.ErrUnexpectedEOF)
		}
	}
	if err := json.Unmarshal(line, &spec); err != nil {
		return nil, spec, fmt.Errorf("decode the simulation's spec: %w", err)
	}
	if err := syscall.SetNonblock(simulation.ControlFD, true); err != nil {
		return nil, spec, fmt.Errorf("open control: %w", err)
	}
	return os.NewFile(simulation.ControlFD, "control"), spec, nil
}

// messenger writes messages, one at a time.
type messenger struct {
	reporting atomic.Bool // the results are being written

	mu  sync.Mutex // guards enc
	enc *json.Encoder
}

func (m *messenger) send(msg simulation.Message) {
	if msg.Progress != nil {
		m.reporting.Store(msg.Progress.Phase == simulation.Reporting)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// A parent that is gone is noticed by the end of its control pipe.
	_ = m.enc.Encode(msg)
}

// runSimulate runs a Spec, and sends how it ended. Whatever goes wrong is told in a message; the
// error that is returned only decides the exit code. The process must end when it returns: the
// control plane is not stopped, since it goes with the process, and only its data is removed.
func runSimulate(ctx context.Context, control io.Reader, spec simulation.Spec, out *messenger, log io.Writer, began time.Duration) error {
	ctx, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		followControl(control, interrupt)
	}()
	ended := make(chan error, 1)
	go func() {
		done, err := simulate(ctx, spec, out, log, began)
		if err != nil {
			failed := simulation.Failed{Error: err.Error(), Interrupted: errors.Is(err, simulation.ErrInterrupted)}
			out.send(simulation.Message{Failed: &failed})
		} else {
			out.send(simulation.Message{Done: done})
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		return errors.Join(err, controlplane.RemoveData())
	case <-gone:
		return errors.Join(errParentGone, orphaned(spec, out, ended))
	}
}

// followControl does what it is told, and returns when the parent is gone.
func followControl(control io.Reader, interrupt context.CancelCauseFunc) {
	lines := bufio.NewReader(control)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var c simulation.Control
		if json.Unmarshal(line, &c) != nil {
			continue
		}
		if c.Interrupt {
			interrupt(simulation.ErrInterrupted)
		}
	}
}

func simulate(ctx context.Context, spec simulation.Spec, out *messenger, log io.Writer, began time.Duration) (_ *simulation.Done, err error) {
	if virtual := spec.Time == simulation.Virtual; virtual != virtualtime.Enabled {
		return nil, fmt.Errorf("this sk-cluster was built for another clock than %q", cmp.Or(spec.Time, simulation.Real))
	}
	phase := func(p simulation.Phase) {
		out.send(simulation.Message{Progress: &simulation.Progress{Phase: p}})
	}
	phase(simulation.Preparing)
	prepared, err := simulation.Prepare(ctx, spec)
	if err != nil {
		return nil, err
	}
	if virtualtime.Enabled {
		virtualtime.Set(prepared.Origin().Add(-bootLead))
		if err := seed(spec.Seed); err != nil {
			return nil, err
		}
	}
	for _, note := range prepared.Notes() {
		out.send(simulation.Message{Note: &note})
	}

	phase(simulation.Starting)
	var mutator atomic.Pointer[mutate.Mutator]
	opts := controlplane.Options{
		Controllers:     controlplane.SimulationControllers(),
		SchedulerConfig: spec.SchedulerConfig,
		KubeAPIQPS:      spec.KubeAPIQPS,
		Minimal:         virtualtime.Enabled,
		Log:             log,
		Verbosity:       spec.Verbosity,
		MutatePod: func(ctx context.Context, pod *corev1.Pod, dryRun bool) (bool, error) {
			switch m := mutator.Load(); {
			case m == nil:
				return false, nil
			case dryRun:
				return m.Preview(ctx, pod)
			default:
				return m.Mutate(ctx, pod)
			}
		},
	}
	if opts.CRDs, err = readManifests(spec.CRDs); err != nil {
		return nil, err
	}
	if opts.Stages, err = readManifests(spec.Stages); err != nil {
		return nil, err
	}
	cp, err := controlplane.Start(ctx, opts)
	if err != nil {
		if ctx.Err() != nil {
			return nil, simulation.ErrInterrupted
		}
		return nil, fmt.Errorf("start the control plane: %w", err)
	}
	governor := virtualtime.NewGovernor()
	return prepared.Run(ctx, simulation.Runner{
		Cluster: simulation.Cluster{
			Config:     cp.RESTConfig(),
			SetMutator: mutator.Store,
			Done:       cp.Done(),
			Err:        cp.Err,
			Abandon:    cp.Abandon,
			Versions:   map[string]string{"kubernetes": version(), "kwok": moduleVersion("sigs.k8s.io/kwok")},
		},
		Clock: clock.RealClock{},
		Log:   slog.New(slog.NewTextHandler(log, nil)),
		Report: func(m simulation.Message) {
			if m.Progress != nil {
				governor.Tick()
			}
			out.send(m)
		},
		Wall: func() time.Duration { return virtualtime.Real() - began },
	})
}
