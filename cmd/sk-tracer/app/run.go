package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/program"
	"simkube.io/simkube/internal/serving"
	"simkube.io/simkube/internal/tracer"
	"simkube.io/simkube/internal/tracer/export"
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/internal/tracer/server"
	"simkube.io/simkube/storage"
)

// run records until ctx ends.
func run(ctx context.Context, opts *options, settings *settings, version string, logger *slog.Logger) (err error) {
	file := &tracer.ConfigFile{Path: opts.configFile, Logger: logger}
	config, err := file.Load()
	if err != nil {
		return err
	}
	cluster, err := opts.cluster.Config()
	if err != nil {
		return err
	}
	cluster.UserAgent = "sk-tracer/" + version
	if !opts.inMemory {
		if err := os.MkdirAll(opts.dataDir, 0o700); err != nil {
			return fmt.Errorf("make the data directory: %w", err)
		}
	}
	key, err := opts.loadKey()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", settings.address)
	if err != nil {
		err = fmt.Errorf("listen for the export API: %w", err)
		if errors.Is(err, syscall.EADDRINUSE) {
			return &program.HintedError{Err: err, Hint: "another tracer may be running; set another port with --server-port"}
		}
		return err
	}
	defer func() {
		if closeErr := listener.Close(); !errors.Is(closeErr, net.ErrClosed) {
			err = errors.Join(err, closeErr)
		}
	}()
	t, err := tracer.Open(tracer.Options{
		Cluster: cluster, Config: config, Version: version, Logger: logger,
		Dir:         filepath.Join(opts.dataDir, "log"),
		Log:         log.Options{InMemory: opts.inMemory, Retention: settings.retention, MaxSize: settings.maxSize},
		Redactor:    manifest.NewRedactor(settings.redaction, key),
		NoExtension: opts.noExtension, OwnerCache: opts.ownerCache, SpoolDir: opts.spoolDir,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if opts.spoolDir != "" {
		// The log is locked, so no other tracer of this data is running.
		if err := export.RemoveLeftovers(opts.spoolDir); err != nil {
			return err
		}
	}
	buckets := storage.New(storage.Options{})
	defer buckets.Close()
	api, err := opts.server(settings, cluster, t, buckets, logger)
	if err != nil {
		return err
	}
	logRedaction(ctx, settings.redaction, logger)
	logger.InfoContext(ctx, "recording", "cluster", cluster.Host, "api", listener.Addr().String(), "version", version)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return t.Run(ctx) })
	group.Go(func() error { return api.Run(ctx, listener) })
	group.Go(func() error {
		file.Follow(ctx, t.ConfigChanged)
		return nil
	})
	err = group.Wait()
	logger.InfoContext(ctx, "recording stopped")
	return err
}

// logRedaction logs what is redacted, and what is recorded in plain text.
func logRedaction(ctx context.Context, rules manifest.Redaction, logger *slog.Logger) {
	redacted, inClear := rules.Covered(), rules.Uncovered()
	if len(redacted) == 0 {
		logger.WarnContext(ctx, "nothing is redacted", "inClear", strings.Join(inClear, ", "))
		return
	}
	logger.InfoContext(ctx, "redacting", "redacted", strings.Join(redacted, ", "), "inClear", strings.Join(inClear, ", "))
}

// server returns the server of the API.
func (o *options) server(s *settings, cluster *rest.Config, t *tracer.Tracer, buckets *storage.Client, logger *slog.Logger) (*server.Server, error) {
	opts := server.Options{
		Exporter: t, Storage: server.NewStorage(buckets), Status: t.Status, Ready: t.Ready, Gatherer: t.Registry(),
		CheckTransform: tracer.CheckTransform,
		Allowed:        s.allowed, MaxExports: o.maxExports, Insecure: o.insecure, Logger: logger,
	}
	if o.auth == authToken {
		reviews := rest.CopyConfig(cluster)
		reviews.QPS = -1 // the authorizer has its own limits, for each kind of token
		client, err := kubernetes.NewForConfig(reviews)
		if err != nil {
			return nil, fmt.Errorf("make a client: %w", err)
		}
		opts.Authorizer = server.NewTokenAuthorizer(client.AuthenticationV1().TokenReviews(), client.AuthorizationV1().SubjectAccessReviews(), clock.RealClock{})
	}
	if o.tlsCert != "" {
		config, err := serving.CertificateFiles(o.tlsCert, o.tlsKey, logger)
		if err != nil {
			return nil, err
		}
		opts.TLS = config
	}
	return server.New(opts)
}
