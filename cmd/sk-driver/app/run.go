package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"simkube.io/simkube/internal/driver"
	"simkube.io/simkube/internal/serving"
)

// run drives the simulation to its end.
func run(ctx context.Context, opts *options, version string, logger *slog.Logger) (err error) {
	cluster, err := opts.cluster()
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
		return fmt.Errorf("listen for admission reviews: %w", err)
	}
	defer func() { err = errors.Join(err, closed(webhook)) }()
	var metrics net.Listener
	if opts.metricsPort != 0 {
		if metrics, err = listen(ctx, opts.metricsPort); err != nil {
			return fmt.Errorf("listen for metrics (--metrics-port 0 does without): %w", err)
		}
		defer func() { err = errors.Join(err, closed(metrics)) }()
	}
	dir, err := os.MkdirTemp("", "sk-driver-")
	if err != nil {
		return fmt.Errorf("make a work folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logger.InfoContext(ctx, "driving", "simulation", opts.simulation, "cluster", cluster.Host, "webhook", webhook.Addr().String(), "version", version)
	return driver.Run(ctx, driver.Options{
		Config: cluster, Simulation: opts.simulation, ControllerNamespace: opts.controllerNS,
		Pod: os.Getenv(nameVariable), Namespace: os.Getenv(namespaceVariable),
		TracePath: opts.trace, Webhook: webhook, TLS: tls, Metrics: metrics,
		WorkDir: dir, ClaimDir: opts.claimDir, FailFast: opts.failFast, Version: version, Logger: logger,
	})
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

// cluster tells how to reach the API server: as the flag says, else as the pod's service account, else as kubectl would.
func (o *options) cluster() (*rest.Config, error) {
	if o.kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err == nil || !errors.Is(err, rest.ErrNotInCluster) {
			return config, err
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	return config, nil
}
