package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"simkube.io/simkube/internal/driver"
	"simkube.io/simkube/internal/serving"
)

// run runs the simulation to its end.
func run(ctx context.Context, opts *options, version string, logger *slog.Logger) (err error) {
	cluster, err := opts.cluster.Config()
	if err != nil {
		return err
	}
	cluster.UserAgent = "sk-driver/" + version
	tls, err := serving.CertificateFiles(opts.cert, opts.key, logger)
	if err != nil {
		return err
	}
	webhook, err := listen(ctx, opts.webhookPort)
	if err != nil {
		return fmt.Errorf("listen for the webhook: %w", err)
	}
	defer func() { err = errors.Join(err, closed(webhook)) }()
	var metrics net.Listener
	if opts.metricsPort != 0 {
		if metrics, err = listen(ctx, opts.metricsPort); err != nil {
			return fmt.Errorf("listen for metrics (--metrics-port 0 turns them off): %w", err)
		}
		defer func() { err = errors.Join(err, closed(metrics)) }()
	}
	dir, err := workDir(os.TempDir(), os.Getenv(nameVariable))
	if err != nil {
		return fmt.Errorf("create a work folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logger.InfoContext(ctx, "starting the driver", "simulation", opts.simulation, "cluster", cluster.Host, "webhook", webhook.Addr().String(), "version", version)
	return driver.Run(ctx, driver.Options{
		Config: cluster, Simulation: opts.simulation, ControllerNamespace: opts.controllerNS,
		Pod: os.Getenv(nameVariable), Namespace: os.Getenv(namespaceVariable),
		TracePath: opts.trace, Webhook: webhook, TLS: tls, Metrics: metrics,
		WorkDir: dir, ClaimDir: opts.claimDir, FailFast: opts.failFast, Version: version, Logger: logger,
	})
}

// workDir creates the folder for downloads and output. It is named for the pod, and removed first:
// it outlives a driver that was killed, because the pod's temporary folder lasts as long as the
// pod.
func workDir(parent, pod string) (string, error) {
	dir := filepath.Join(parent, "sk-driver-"+pod)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.Mkdir(dir, 0o700)
}

func listen(ctx context.Context, port int) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("", strconv.Itoa(port)))
}

// closed closes a listener that its server may have closed already.
func closed(listener net.Listener) error {
	if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
