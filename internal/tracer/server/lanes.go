package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

const (
	// maxReviews is how many questions there are to the API server at once about tokens that it
	// knew a moment ago, and as many about others: guessing tokens neither overloads it nor holds
	// up those who have good ones.
	maxReviews = 16
	// maxFromOne is how many of the questions about unknown tokens may be for one address: others
	// find room beside it.
	maxFromOne = 12
	// maxWaiting is how many requests with unknown tokens may wait for that. Those that come then
	// are refused at once.
	maxWaiting = 256
	// reviewRate is how many questions about unknown tokens there are in a second at most, and
	// reviewBurst how many at once.
	reviewRate  = 50
	reviewBurst = 100
)

// errCrowded is returned when too many tokens that are not known wait to be asked for.
var errCrowded = errors.New("too many requests with tokens that are not known yet: try again in some seconds")

// lanes have questions about unknown tokens wait for each other, apart from those about known ones.
// It is safe for concurrent use.
type lanes struct {
	known, unknown chan struct{} // hold one value per running question

	mu      sync.Mutex // guards what is below
	waiting int
	sources map[string]*source
}

// source is an address from which unknown tokens come.
type source struct {
	slots chan struct{} // holds one value per question that is running, or next
	users int
}

func newLanes() *lanes {
	return &lanes{known: make(chan struct{}, maxReviews), unknown: make(chan struct{}, maxReviews), sources: map[string]*source{}}
}

// enterKnown waits for a place for a question about a known token. leave must be called when it is
// answered.
func (l *lanes) enterKnown(ctx context.Context) (leave func(), err error) {
	return enter(ctx, l.known)
}

// enterUnknown waits for one about an unknown token that came from an address. Its error is
// errCrowded, or says that ctx ended.
func (l *lanes) enterUnknown(ctx context.Context, address string) (leave func(), err error) {
	s, err := l.wait(address)
	if err != nil {
		return nil, err
	}
	leaveSource, err := enter(ctx, s.slots)
	if err == nil {
		var leaveLane func()
		if leaveLane, err = enter(ctx, l.unknown); err == nil {
			l.served()
			return func() { leaveLane(); leaveSource(); l.release(address, s) }, nil
		}
		leaveSource()
	}
	l.served()
	l.release(address, s)
	return nil, err
}

func enter(ctx context.Context, lane chan struct{}) (leave func(), err error) {
	select {
	case lane <- struct{}{}:
		return func() { <-lane }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to ask the API server: %w", ctx.Err())
	}
}

// wait counts one more that waits, and returns the source that it is of.
func (l *lanes) wait(address string) (*source, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= maxWaiting {
		return nil, errCrowded
	}
	l.waiting++
	s := l.sources[address]
	if s == nil {
		s = &source{slots: make(chan struct{}, maxFromOne)}
		l.sources[address] = s
	}
	s.users++
	return s, nil
}

// served counts one less that waits.
func (l *lanes) served() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
}

// release forgets the source behind the last that uses it.
func (l *lanes) release(address string, s *source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(l.sources, address)
	}
}
