package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"simkube.io/simkube/internal/serving"
)

// Run serves connections from a listener, which it closes, until ctx ends; then it waits a while for what is running, and ends it. When
// Run returns, no request is being answered any more. It refuses to serve others than this machine's programs when nobody decides who
// they are.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	if err := s.checkAddress(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           s,
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
	if err := serving.Run(ctx, server, listener, s.opts.ShutdownTimeout); err != nil {
		return fmt.Errorf("the API: %w", err)
	}
	return nil
}
