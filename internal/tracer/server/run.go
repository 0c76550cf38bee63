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

// Run serves connections from a listener, which it closes, until ctx ends. Running requests may
// then continue for ShutdownTimeout before they are canceled. No request is running when Run
// returns. Without an Authorizer, Run fails if the listener can be reached from other machines.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	if err := s.checkAddress(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		// This limits bodies that are not read, because the request was rejected, too. It is lifted when
		// the request of an export was read.
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
