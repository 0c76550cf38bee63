package controlplane

import (
	"context"
	"fmt"
	"io"
	"net/url"
	_ "unsafe" // for go:linkname

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/feature"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	_ "k8s.io/apiserver/pkg/storage/storagebackend/factory" // has newETCD3Client
)

// etcdServer is the store. It does not listen: the API server calls it.
type etcdServer struct {
	etcd *embed.Etcd
}

// etcdEndpoint is an address for the API server, which requires one. Nothing listens there.
const etcdEndpoint = "http://127.0.0.1:1"

// newETCD3Client is what the API server makes its clients of etcd with.
//
//go:linkname newETCD3Client k8s.io/apiserver/pkg/storage/storagebackend/factory.newETCD3Client
var newETCD3Client func(storagebackend.TransportConfig) (*kubernetes.Client, error)

// serveInProcess has the API server call etcd instead of connecting to it.
func (s *etcdServer) serveInProcess(ctx context.Context) {
	newETCD3Client = func(storagebackend.TransportConfig) (*kubernetes.Client, error) {
		client := &kubernetes.Client{Client: v3client.New(s.etcd.Server)}
		client.Kubernetes = client
		return client, nil
	}
	// The API server asks each endpoint of a client for its version, to find out whether etcd reports
	// the progress of watches. Clients in the process have no endpoint, so it would never ask, and
	// would end every watch that requests progress.
	feature.DefaultFeatureSupportChecker.CheckClient(ctx, withEndpoint{v3client.New(s.etcd.Server)}, storage.RequestWatchProgress)
}

// withEndpoint is a client that reports an endpoint.
type withEndpoint struct{ *clientv3.Client }

// Endpoints returns etcdEndpoint.
func (withEndpoint) Endpoints() []string { return []string{etcdEndpoint} }

func startEtcd(ctx context.Context, dir *dataDir, log io.Writer, verbosity int) (*etcdServer, error) {
	// A single member has no peers and advertises no address, but must have one.
	unreachable := url.URL{Scheme: "http", Host: "127.0.0.1:1"}

	cfg := embed.NewConfig()
	cfg.Name = "simkube"
	cfg.Dir = dir.file("etcd")
	cfg.ListenClientUrls = nil
	cfg.AdvertiseClientUrls = []url.URL{unreachable}
	cfg.ListenPeerUrls = nil
	cfg.AdvertisePeerUrls = []url.URL{unreachable}
	cfg.InitialCluster = cfg.Name + "=" + unreachable.String()
	// Nothing here has to survive a power failure, and syncing costs a disk round trip per write.
	cfg.UnsafeNoFsync = true
	cfg.QuotaBackendBytes = 8 << 30
	cfg.SnapshotCount = 10_000
	level := zapcore.WarnLevel
	if verbosity >= 4 {
		level = zapcore.InfoLevel
	}
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.New(zapcore.NewCore(
		zapcore.NewConsoleEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(log), level)))

	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	s := &etcdServer{etcd: e}
	s.serveInProcess(context.WithoutCancel(ctx))
	select {
	case <-e.Server.ReadyNotify():
		return s, nil
	case err := <-e.Err():
		s.stop()
		return nil, fmt.Errorf("start etcd: %w", err)
	case <-e.Server.StopNotify():
		s.stop()
		return nil, fmt.Errorf("start etcd: it stopped by itself")
	case <-ctx.Done():
		s.stop()
		return nil, fmt.Errorf("start etcd: %w", context.Cause(ctx))
	}
}

// wait returns when etcd has failed or stop was called.
func (s *etcdServer) wait(ctx context.Context) error {
	select {
	case err := <-s.etcd.Err():
		return err
	case <-s.etcd.Server.StopNotify():
		return nil
	case <-ctx.Done():
		return nil
	}
}

func (s *etcdServer) stop() { s.etcd.Close() }
