package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"simkube.io/simkube/internal/simctl"
)

// run looks after simulations until ctx ends.
func run(ctx context.Context, opts *options, settings *settings, version string, logger *slog.Logger) error {
	// What Kubernetes' own packages log goes the same way.
	klog.SetSlogLogger(logger)
	ctrllog.SetLogger(logr.FromSlogHandler(logger.Handler()))
	cluster, err := opts.cluster()
	if err != nil {
		return err
	}
	cluster.UserAgent = "sk-ctrl/" + version
	manager, err := simctl.NewManager(cluster, simctl.Options{
		Namespace: settings.namespace, DriverServiceAccount: settings.driverAccount,
		LeaderElection: opts.leaderElect, MetricsAddress: opts.metricsAddress, HealthAddress: opts.healthAddress,
		Logger: logger,
	})
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "looking after simulations", "cluster", cluster.Host, "namespace", settings.namespace, "version", version)
	if err := manager.Start(ctx); err != nil {
		return fmt.Errorf("look after simulations: %w", err)
	}
	logger.InfoContext(ctx, "looking after simulations no more")
	return nil
}

// cluster tells how to reach the API server: as the flags say, else as the pod's service account, else as kubectl would.
func (o *options) cluster() (*rest.Config, error) {
	if o.kubeconfig == "" && o.context == "" {
		config, err := rest.InClusterConfig()
		if err == nil || !errors.Is(err, rest.ErrNotInCluster) {
			return config, err
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.context}).ClientConfig()
	switch {
	case clientcmd.IsEmptyConfig(err):
		return nil, errors.New("find the cluster: this is no pod of one, and there is no kubeconfig: name one with --kubeconfig, or in $KUBECONFIG")
	case err != nil:
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	return config, nil
}
