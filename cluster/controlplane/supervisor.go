package controlplane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// errStoppedEarly is the error of a component that returned nil before it was stopped.
var errStoppedEarly = errors.New("it returned without an error before it was stopped")

// supervisor runs components, reports the first one that stops by itself, and stops all of them in
// reverse order.
type supervisor struct {
	base context.Context // the parent of the components' contexts; not cancelled by itself
	done chan struct{}   // closed at the first failure

	mu         sync.Mutex // guards the rest
	components []*supervised
	err        error
	expected   bool // that components stop: from then on it is no failure
}

// supervised is a component that runs.
type supervised struct {
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
	s.runIn(ctx, cancel, name, f)
}

func (s *supervisor) runIn(ctx context.Context, cancel func(), name string, f func(context.Context) error) {
	c := s.add(name, cancel)
	go func() {
		defer close(c.exited)
		err := f(ctx)
		if ctx.Err() == nil {
			s.fail(name, err)
		}
	}()
}

// start calls f, whose context lasts as long as the component, and runs the instance that it
// returns. ctx bounds f alone.
func (s *supervisor) start(ctx context.Context, name string, f func(context.Context) (Instance, error)) (Instance, error) {
	lasting, cancel := context.WithCancel(s.base)
	detach := context.AfterFunc(ctx, cancel)
	instance, err := f(lasting)
	switch stopped := !detach(); {
	case err != nil:
	case stopped:
		err = context.Cause(ctx)
	case instance.Run == nil:
		err = errors.New("it has no Run function")
	}
	if err != nil {
		cancel()
		return Instance{}, err
	}
	s.runIn(lasting, cancel, name, instance.Run)
	return instance, nil
}

// adopt takes over a component that runs already: wait returns when it has stopped, stop stops it.
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

func (s *supervisor) add(name string, cancel func()) *supervised {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &supervised{name: name, cancel: cancel, exited: make(chan struct{})}
	s.components = append(s.components, c)
	return c
}

func (s *supervisor) fail(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.expected {
		return
	}
	if err == nil {
		err = errStoppedEarly
	}
	s.err = &ComponentError{Component: name, Err: err}
	close(s.done)
}

// expect has components that stop from now on not count as failed.
func (s *supervisor) expect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = true
}

func (s *supervisor) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// failedStopTimeout is how long stop waits for all components together after one of them has
// failed: those that depend on it can't stop in good order.
const failedStopTimeout = 3 * time.Second

// stop stops the components, last started first, and waits for each until ctx ends. After a failure
// it waits for failedStopTimeout at most, and a component that still runs then is no error.
func (s *supervisor) stop(ctx context.Context) error {
	s.mu.Lock()
	s.expected = true
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
