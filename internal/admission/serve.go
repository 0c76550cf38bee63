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
	// reviewTimeout is the maximum timeout of the API server.
	reviewTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Serve serves TLS (1.2 or later, with HTTP/2) on a listener, which it closes, until ctx ends.
// Reviews in progress are then finished, within the time that an API server would wait for them. No
// review is in progress when Serve returns.
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
