package controlplane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// errStoppedEarly stands for a component that returned nil without being asked to stop.
var errStoppedEarly = errors.New("it returned without an error before it was asked to stop")

// supervisor runs components, notices the first one that stops by itself, and stops all
// of them in reverse order.
type supervisor struct {
	base context.Context // what the components' contexts derive from; not cancelled by itself
	done chan struct{}   // closed at the first failure

	mu         sync.Mutex // guards the rest
	components []*component
	err        error
	stopping   bool
}

type component struct {
	name   string
	cancel func()
	exited chan struct{}
}

func newSupervisor(base context.Context) *supervisor {
	return &supervisor{base: base, done: make(chan struct{})}
}

// run starts f, which serves until its context ends.
func (s *supervisor) run(name string, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(s.base)
	c := s.add(name, cancel)
	go func() {
		defer close(c.exited)
		err := f(ctx)
		if ctx.Err() == nil {
			s.fail(name, err)
		}
	}()
}

// start calls f, which starts goroutines of its own that end with its context; nobody tells
// when they have.
func (s *supervisor) start(name string, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(s.base)
	if err := f(ctx); err != nil {
		cancel()
		return err
	}
	close(s.add(name, cancel).exited)
	return nil
}

// adopt takes over what runs already: wait returns when it has stopped, stop stops it.
func (s *supervisor) adopt(name string, wait func(context.Context) error, stop func()) {
	ctx, cancel := context.WithCancel(s.base)
	c := s.add(name, cancel)
	go func() {
		defer close(c.exited)
		err := wait(ctx)
		if ctx.Err() == nil {
			s.fail(name, err)
		}
		stop()
	}()
}

func (s *supervisor) add(name string, cancel func()) *component {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &component{name: name, cancel: cancel, exited: make(chan struct{})}
	s.components = append(s.components, c)
	return c
}

func (s *supervisor) fail(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.stopping {
		return
	}
	if err == nil {
		err = errStoppedEarly
	}
	s.err = &ComponentError{Component: name, Err: err}
	close(s.done)
}

func (s *supervisor) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// failedStopTimeout is how long all components together are waited for when one of them has
// failed: those that depended on it can't end in good order.
const failedStopTimeout = 3 * time.Second

// stop ends the components, last started first, and waits for each until ctx ends.
// After a failure it waits only a little, and what is left then is no error.
func (s *supervisor) stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	failed := s.err != nil
	components := slices.Clone(s.components)
	s.mu.Unlock()
	if failed {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, failedStopTimeout)
		defer cancel()
	}

	var errs []error
	for _, c := range slices.Backward(components) {
		c.cancel()
		select {
		case <-c.exited:
		case <-ctx.Done():
			if !failed {
				errs = append(errs, fmt.Errorf("stop %s: %w", c.name, context.Cause(ctx)))
			}
		}
	}
	return errors.Join(errs...)
}
