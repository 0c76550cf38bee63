package admission

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout = 5 * time.Second
	// reviewTimeout is that of the API server, at most.
	reviewTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Serve answers over TLS on a listener, which it closes, until ctx ends. Reviews under way then are
// finished, within the time an API server would wait for them.
func Serve(ctx context.Context, listener net.Listener, config *tls.Config, handler http.Handler) error {
	if config == nil {
		return errors.Join(errors.New("serve admission: no TLS configuration"), listener.Close())
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	server := &http.Server{
		Handler:   handler,
		TLSConfig: config,
		// Reviews outlive ctx.
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       reviewTimeout,
		WriteTimeout:      reviewTimeout,
		IdleTimeout:       idleTimeout,
	}
	served := make(chan error, 1)
	// HTTP/2 comes with ServeTLS.
	go func() { served <- server.ServeTLS(listener, "", "") }()
	select {
	case err := <-served:
		return fmt.Errorf("serve admission: %w", errors.Join(err, server.Close()))
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTimeout)
	defer cancel()
	err := server.Shutdown(deadline)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	if err != nil {
		return fmt.Errorf("stop admission: %w", err)
	}
	return nil
}
