package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// clientTransport is a component's way to the API server. It keeps track of open watches, which
// show whether a component works that consists of goroutines only.
type clientTransport struct {
	next http.RoundTripper

	mu       sync.Mutex // guards the rest
	answered bool
	watches  map[string]watchState // by resource
	err      error                 // of the latest request that failed
	changed  chan struct{}         // closed, and replaced, when answered or watches change
}

// watchState is what is known of the watches of one resource.
type watchState struct {
	open   int
	closed time.Time // the last time that open became 0
}

var _ http.RoundTripper = (*clientTransport)(nil)

func newClientTransport(next http.RoundTripper) *clientTransport {
	return &clientTransport{next: next, watches: map[string]watchState{}, changed: make(chan struct{})}
}

// RoundTrip implements http.RoundTripper.
func (t *clientTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(req)
	watch := isWatch(req)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		t.err = err
	case watch && res.StatusCode != http.StatusOK:
		t.err = errors.New(res.Status)
	case watch:
		t.add(path.Base(req.URL.Path), 1)
		res.Body = &watchBody{ReadCloser: res.Body, transport: t, resource: path.Base(req.URL.Path)}
	}
	if err == nil && !t.answered {
		t.answered = true
		t.notify()
	}
	return res, err
}

func isWatch(req *http.Request) bool {
	// Parsing the query of every request would take longer.
	return strings.Contains(req.URL.RawQuery, "watch=") && req.URL.Query().Get("watch") == "true"
}

// add changes the number of open watches of a resource. The caller holds mu.
func (t *clientTransport) add(resource string, n int) {
	state := t.watches[resource]
	state.open += n
	if state.open == 0 {
		state.closed = time.Now()
	}
	t.watches[resource] = state
	t.notify()
}

// notify wakes those that wait for a change. The caller holds mu.
func (t *clientTransport) notify() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// watchBody is the body of a watch's response. It is closed when the watch ends, for whatever
// reason.
type watchBody struct {
	io.ReadCloser
	transport *clientTransport
	resource  string
	once      sync.Once
}

// Close implements io.Closer.
func (b *watchBody) Close() error {
	b.once.Do(func() {
		b.transport.mu.Lock()
		defer b.transport.mu.Unlock()
		b.transport.add(b.resource, -1)
	})
	return b.ReadCloser.Close()
}

// awaitAnswer returns when the API server has answered a request.
func (t *clientTransport) awaitAnswer(ctx context.Context) error {
	for {
		t.mu.Lock()
		answered, changed, err := t.answered, t.changed, t.err
		t.mu.Unlock()
		if answered {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return because(context.Cause(ctx), err)
		}
	}
}

// awaitWatches returns when each of the resources is watched.
func (t *clientTransport) awaitWatches(ctx context.Context, resources ...string) error {
	for {
		missing, _, changed, err := t.unwatched(resources)
		if missing == "" {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return because(fmt.Errorf("%s are not watched: %w", missing, context.Cause(ctx)), err)
		}
	}
}

// awaitLoss returns an error when one of the resources has not been watched for a time, and nil
// when ctx has ended.
func (t *clientTransport) awaitLoss(ctx context.Context, limit time.Duration, resources ...string) error {
	started := time.Now()
	for {
		missing, since, changed, err := t.unwatched(resources)
		var lost <-chan time.Time // no timer unless a watch is missing: in virtual time each one costs
		if missing != "" {
			if since.IsZero() {
				since = started
			}
			lost = time.After(limit - time.Since(since))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		case <-lost:
			return because(fmt.Errorf("it has not watched %s for %s", missing, limit), err)
		}
	}
}

// unwatched returns the resource that has not been watched for longest, and since when: the zero
// time if it never was. It returns "" if all are watched.
func (t *clientTransport) unwatched(resources []string) (missing string, since time.Time, changed <-chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, resource := range resources {
		state := t.watches[resource]
		if state.open == 0 && (missing == "" || state.closed.Before(since)) {
			missing, since = resource, state.closed
		}
	}
	return missing, since, t.changed, t.err
}

// because adds to err the error of the latest request that failed, if there was one.
func because(err, cause error) error {
	if cause == nil {
		return err
	}
	return fmt.Errorf("%w; its latest failed request: %w", err, cause)
}
