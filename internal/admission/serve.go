package admission

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"simkube.io/simkube/internal/serving"
)

const (
	headerTimeout = 5 * time.Second
	// reviewTimeout is that of the API server, at most.
	reviewTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Serve answers over TLS (1.2 or later; HTTP/2 too) on a listener, which it closes, until ctx ends. Reviews under way then are
// finished, within the time an API server would wait for them. When Serve returns, no review is being decided any more.
func Serve(ctx context.Context, listener net.Listener, config *tls.Config, handler http.Handler) error {
	if config == nil {
		return errors.Join(errors.New("serve admission: no TLS configuration"), listener.Close())
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = []string{"h2", "http/1.1"}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       reviewTimeout,
		WriteTimeout:      reviewTimeout,
		IdleTimeout:       idleTimeout,
	}
	if err := serving.Run(ctx, server, tls.NewListener(listener, config), reviewTimeout); err != nil {
		return fmt.Errorf("admission: %w", err)
	}
	return nil
}
