package testkubelet

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
)

// starter starts processes that are killed when this process ends, even if it is killed itself. The
// system binds them to the thread that started them, so one thread that lasts starts all of them.
type starter struct {
	requests chan startRequest
	ended    chan struct{}
}

type startRequest struct {
	cmd *exec.Cmd
	err chan error
}

func startStarter() *starter {
	s := &starter{requests: make(chan startRequest), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for request := range s.requests {
			request.err <- request.cmd.Start()
		}
	}()
	return s
}

// start starts a process in a group of its own.
func (s *starter) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	request := startRequest{cmd: cmd, err: make(chan error, 1)}
	s.requests <- request
	return <-request.err
}

// stop stops the starter. It must not be called before the last start has returned.
func (s *starter) stop() {
	close(s.requests)
	<-s.ended
}

// signal sends a signal to all processes of a group, if there are any.
func signal(group int, sig syscall.Signal) error {
	if err := syscall.Kill(-group, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
