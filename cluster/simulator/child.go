package simulator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/simulation"
)

// runChild runs the simulation that the parent process asks for, and sends how it ended. Every
// error is sent in a message; the one that is returned only decides the exit code. The process must
// end when runChild returns: the control plane is not stopped, since it ends with the process, and
// only its data is removed.
func runChild(ctx context.Context, a additions) error {
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
	ctx, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		followControl(control, interrupt)
	}()
	out := &messenger{enc: json.NewEncoder(messages)}
	r := &run{spec: spec, additions: a, log: log, report: out.send, began: began, ends: true}
	ended := make(chan error, 1)
	go func() {
		done, err := r.simulate(ctx)
		if err != nil {
			failed := simulation.Failed{Error: err.Error(), Interrupted: errors.Is(err, simulation.ErrInterrupted)}
			var program *programError
			if errors.As(err, &program) {
				failed.Hint = program.hint()
			}
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

// inherited opens a file descriptor that the parent process must have left open. Programs that this
// process runs do not inherit it: a pipe must end with this process.
func inherited(fd uintptr, what string) (*os.File, error) {
	syscall.CloseOnExec(int(fd))
	f := os.NewFile(fd, what)
	if f == nil {
		return nil, fmt.Errorf("no %s on file descriptor %d: this command is for skctl simulate", what, fd)
	}
	if _, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("no %s on file descriptor %d: this command is for skctl simulate: %w", what, fd, err)
	}
	return f, nil
}

// openControl reads the spec, which is the first line of the control pipe, and returns the rest of
// it. The pipe is opened for the runtime's poller, since virtual time stands still while a read
// waits in a system call. The spec is read before that, since a process that waits for nothing but
// the poller is deadlocked to the virtual clock.
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
	syscall.CloseOnExec(simulation.ControlFD)
	if err := syscall.SetNonblock(simulation.ControlFD, true); err != nil {
		return nil, spec, fmt.Errorf("open control: %w", err)
	}
	return os.NewFile(simulation.ControlFD, "control"), spec, nil
}

// followControl interrupts the simulation when the parent asks for it, and returns when the parent
// is gone.
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

// messenger writes messages, one at a time.
type messenger struct {
	mu        sync.Mutex // guards the fields below
	enc       *json.Encoder
	reporting bool // the results are being written, or were
	abandoned bool // they must not be written any more
}

// send writes a message. After abandon it does not return for the one that says that the results
// will be written: the process ends meanwhile.
func (m *messenger) send(msg simulation.Message) {
	m.mu.Lock()
	if msg.Progress != nil && msg.Progress.Phase == simulation.Reporting {
		m.reporting = true // for good: a message of the phase before may follow
	}
	if m.reporting && m.abandoned {
		m.mu.Unlock()
		select {}
	}
	defer m.mu.Unlock()
	_ = m.enc.Encode(msg) // a parent that is gone is noticed by the end of its control pipe
}

// abandon prevents that results are written, and reports whether that is in time: otherwise they
// are being written.
func (m *messenger) abandon() (inTime bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.abandoned = !m.reporting
	return m.abandoned
}
