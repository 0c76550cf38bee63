package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Run serves connections from a listener, which it closes, until ctx ends; then it waits a while for what is running, and ends it. When
// Run returns, no request is being answered any more. It refuses to serve others than this machine's programs when nobody decides who
// they are.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	if err := s.checkAddress(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	// Requests end when the server does, not when ctx does.
	requests, cancelRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRequests()
	running := &runningRequests{next: s}
	server := &http.Server{
		Handler:           running,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: headerTimeout,
		// Also for bodies that nobody reads, of requests that are refused. An export lifts it when its request is there.
		ReadTimeout:    bodyTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelDebug),
	}
	if s.opts.TLS != nil {
		config := s.opts.TLS.Clone()
		config.NextProtos = []string{"http/1.1"}
		listener = tls.NewListener(listener, config)
	}
	err := serve(ctx, server, listener, s.opts.ShutdownTimeout)
	cancelRequests()
	running.wait()
	return err
}

// serve runs a server until ctx ends, and then shuts it down: connections are closed on which something takes longer than the timeout.
func serve(ctx context.Context, server *http.Server, listener net.Listener, timeout time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serve the API: %w", err), server.Close())
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
		return fmt.Errorf("stop the API: %w", err)
	}
	return nil
}

// runningRequests is a handler that can be waited for: a closed http.Server does not do that.
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

// wait lets no more requests in, and waits for those that are there.
func (r *runningRequests) wait() {
	r.mu.Lock()
	r.isClosed = true
	r.mu.Unlock()
	r.running.Wait()
}
