package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

const (
	// maxReviews is the maximum number of concurrent reviews of tokens that were valid recently, and
	// of all other tokens. So guessing tokens neither overloads the API server nor delays requests
	// with valid tokens.
	maxReviews = 16
	// maxFromOne is the maximum number of reviews of unknown tokens for one address, which leaves room
	// for others.
	maxFromOne = 12
	// maxWaiting is the maximum number of waiting requests with unknown tokens. Further ones are
	// rejected at once.
	maxWaiting = 256
	// reviewRate is the maximum number of reviews of unknown tokens per second, reviewBurst the
	// maximum in a burst.
	reviewRate  = 50
	reviewBurst = 100
)

// errTooManyWaiting is returned if too many requests with unknown tokens are waiting.
var errTooManyWaiting = errors.New("too many requests with unknown tokens: try again in a few seconds")

// reviewLimits limit concurrent reviews, separately for known and unknown tokens. They are safe for
// concurrent use.
type reviewLimits struct {
	known, unknown chan struct{} // hold one value per running question

	mu      sync.Mutex // guards what is below
	waiting int
	sources map[string]*source
}

// source is an address that unknown tokens come from.
type source struct {
	slots chan struct{} // holds one value per review that is running, or next
	users int
}

func newReviewLimits() *reviewLimits {
	return &reviewLimits{known: make(chan struct{}, maxReviews), unknown: make(chan struct{}, maxReviews), sources: map[string]*source{}}
}

// enterKnown waits until a known token may be reviewed. leave must be called after the review.
func (l *reviewLimits) enterKnown(ctx context.Context) (leave func(), err error) {
	return enter(ctx, l.known)
}

// enterUnknown waits until an unknown token from an address may be reviewed. The error is
// errTooManyWaiting, or that of ctx.
func (l *reviewLimits) enterUnknown(ctx context.Context, address string) (leave func(), err error) {
	s, err := l.wait(address)
	if err != nil {
		return nil, err
	}
	leaveSource, err := enter(ctx, s.slots)
	if err == nil {
		var leaveUnknown func()
		if leaveUnknown, err = enter(ctx, l.unknown); err == nil {
			l.served()
			return func() { leaveUnknown(); leaveSource(); l.release(address, s) }, nil
		}
		leaveSource()
	}
	l.served()
	l.release(address, s)
	return nil, err
}

func enter(ctx context.Context, slots chan struct{}) (leave func(), err error) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a review by the API server: %w", ctx.Err())
	}
}

// wait increments the number of waiting requests, and returns the source of an address.
func (l *reviewLimits) wait(address string) (*source, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= maxWaiting {
		return nil, errTooManyWaiting
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

// served decrements the number of waiting requests.
func (l *reviewLimits) served() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
}

// release deletes a source that is no longer used.
func (l *reviewLimits) release(address string, s *source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(l.sources, address)
	}
}
