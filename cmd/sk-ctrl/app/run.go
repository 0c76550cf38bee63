package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"simkube.io/simkube/internal/controller"
)

// run runs the controller until ctx is cancelled.
func run(ctx context.Context, opts *options, settings *settings, version string, logger *slog.Logger) error {
	// Kubernetes' packages log to the same logger.
	klog.SetSlogLogger(logger)
	ctrllog.SetLogger(logr.FromSlogHandler(logger.Handler()))
	cluster, err := opts.cluster.Config()
	if err != nil {
		return err
	}
	cluster.UserAgent = "sk-ctrl/" + version
	manager, err := controller.NewManager(cluster, controller.Options{
		Namespace: settings.namespace, DriverServiceAccount: settings.driverAccount,
		HookCommands: opts.hookCommands, Images: settings.images, TracePaths: settings.tracePaths, LeaderElection: opts.leaderElect,
		MetricsAddress: opts.metricsAddress, HealthAddress: opts.healthAddress,
		Logger: logger,
	})
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "starting the controller", "cluster", cluster.Host, "namespace", settings.namespace, "version", version)
	if err := manager.Start(ctx); err != nil {
		return fmt.Errorf("run the controller: %w", err)
	}
	logger.InfoContext(ctx, "the controller has stopped")
	return nil
}
