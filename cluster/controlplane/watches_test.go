package controlplane

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// roundTripper is a function that answers requests.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// get sends a request and returns the body of its response, or nil.
func get(t *testing.T, transport http.RoundTripper, url string) io.Closer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil
	}
	return res.Body
}

const (
	watchPods  = "https://server/api/v1/pods?allowWatchBookmarks=true&watch=true"
	watchNodes = "https://server/api/v1/nodes?watch=true"
)

// answering returns a transport on which every request gets a status, or the error if that is set.
func answering(status *int, failure *error) *clientTransport {
	return newClientTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		if *failure != nil {
			return nil, *failure
		}
		return &http.Response{StatusCode: *status, Status: http.StatusText(*status), Body: io.NopCloser(strings.NewReader(""))}, nil
	}))
}

// ended is a context that ends at once, for what must not have to wait.
func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestClientTransport_AwaitAnswer(t *testing.T) {
	status, failure := http.StatusOK, errors.New("refused")
	transport := answering(&status, &failure)
	get(t, transport, "https://server/healthz")
	if err := transport.awaitAnswer(ended(t)); !errors.Is(err, failure) {
		t.Errorf("without an answer: got %v, want %v", err, failure)
	}
	failure = nil
	get(t, transport, "https://server/healthz")
	if err := transport.awaitAnswer(ended(t)); err != nil {
		t.Errorf("with an answer: %v", err)
	}
}

func TestClientTransport_AwaitWatches(t *testing.T) {
	status, failure := http.StatusOK, error(nil)
	transport := answering(&status, &failure)
	nodes := get(t, transport, watchNodes)
	get(t, transport, "https://server/api/v1/pods?limit=500")
	if err := transport.awaitWatches(ended(t), "nodes", "pods"); err == nil || !strings.Contains(err.Error(), "pods are not watched") {
		t.Errorf("pods are only listed: got %v", err)
	}
	status = http.StatusForbidden
	get(t, transport, watchPods)
	if err := transport.awaitWatches(ended(t), "nodes", "pods"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("pods may not be watched: got %v", err)
	}
	status = http.StatusOK
	get(t, transport, watchPods)
	if err := transport.awaitWatches(ended(t), "nodes", "pods"); err != nil {
		t.Errorf("both are watched: %v", err)
	}
	nodes.Close()
	nodes.Close() // as clients do
	if err := transport.awaitWatches(ended(t), "nodes", "pods"); err == nil || !strings.Contains(err.Error(), "nodes are not watched") {
		t.Errorf("the watch of nodes ended: got %v", err)
	}
}

func TestClientTransport_AwaitLoss(t *testing.T) {
	status, failure := http.StatusOK, error(nil)
	transport := answering(&status, &failure)
	if err := transport.awaitLoss(ended(t), time.Hour, "nodes"); err != nil {
		t.Errorf("stopped before the first watch: got %v", err)
	}
	nodes, pods := get(t, transport, watchNodes), get(t, transport, watchPods)
	lost := make(chan error)
	go func() { lost <- transport.awaitLoss(t.Context(), 10*time.Millisecond, "nodes", "pods") }()
	for range 20 { // watches that end are opened again
		reopened := get(t, transport, watchNodes)
		nodes.Close()
		nodes = reopened
	}
	select {
	case err := <-lost:
		t.Fatalf("with both watches: got %v", err)
	case <-time.After(30 * time.Millisecond):
	}
	status = http.StatusUnauthorized
	get(t, transport, watchPods)
	pods.Close()
	if err := <-lost; err == nil || !strings.Contains(err.Error(), "it has not watched pods for 10ms; its latest failed request: Unauthorized") {
		t.Errorf("without the watch of pods: got %v", err)
	}
}

func TestClientTransport_AwaitLoss_NeverWatched(t *testing.T) {
	status, failure := http.StatusOK, error(nil)
	err := answering(&status, &failure).awaitLoss(t.Context(), time.Millisecond, "nodes")
	if err == nil || !strings.Contains(err.Error(), "it has not watched nodes for 1ms") {
		t.Errorf("got %v", err)
	}
}
