// Package serving is shared by the HTTP servers of SimKube: graceful shutdown, and certificates
// that are replaced while a server runs. Authorization and limits are up to each server.
package serving

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Run serves connections from a listener, which it closes, until ctx ends. It then waits for
// running requests, and cancels those that take longer than the timeout. No request is running when
// Run returns. The contexts of requests have the values of ctx, and end with the server; Run sets
// the server's BaseContext and wraps its Handler.
func Run(ctx context.Context, server *http.Server, listener net.Listener, timeout time.Duration) error {
	requests, cancelRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRequests()
	running := &runningRequests{next: server.Handler}
	server.Handler = running
	server.BaseContext = func(net.Listener) context.Context { return requests }
	err := serve(ctx, server, listener, timeout)
	cancelRequests()
	running.wait()
	return err
}

// serve runs a server until ctx ends, and then shuts it down. It closes connections whose requests
// take longer than the timeout.
func serve(ctx context.Context, server *http.Server, listener net.Listener, timeout time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve: %w", err), server.Close())
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := server.Shutdown(shutdown)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

// runningRequests is a handler that can be waited for, which a closed http.Server cannot.
type runningRequests struct {
	next http.Handler

	mu       sync.Mutex // guards what is below
	running  sync.WaitGroup
	isClosed bool
}

func (r *runningRequests) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	if r.isClosed {
		r.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	r.running.Add(1)
	r.mu.Unlock()
	defer r.running.Done()
	r.next.ServeHTTP(w, request)
}

// wait rejects further requests, and waits for those that are running.
func (r *runningRequests) wait() {
	r.mu.Lock()
	r.isClosed = true
	r.mu.Unlock()
	r.running.Wait()
}
