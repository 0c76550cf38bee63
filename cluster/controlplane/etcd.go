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

// etcdServer is the store. It listens nowhere: the API server has it as a part of its own.
type etcdServer struct {
	etcd *embed.Etcd
}

// etcdEndpoint is what the API server believes to talk to: it insists on an address.
const etcdEndpoint = "http://127.0.0.1:1"

// newETCD3Client is what the API server makes its clients of etcd with.
//
//go:linkname newETCD3Client k8s.io/apiserver/pkg/storage/storagebackend/factory.newETCD3Client
var newETCD3Client func(storagebackend.TransportConfig) (*kubernetes.Client, error)

// serveInProcess has the API server call etcd where it would send messages to it.
func (s *etcdServer) serveInProcess(ctx context.Context) {
	newETCD3Client = func(storagebackend.TransportConfig) (*kubernetes.Client, error) {
		client := &kubernetes.Client{Client: v3client.New(s.etcd.Server)}
		client.Kubernetes = client
		return client, nil
	}
	// The API server asks each of a client's endpoints for its version, to know whether it tells how far a watch has come.
	// Clients in the process have no endpoint, so it would never ask, and end every watch that wants to know.
	feature.DefaultFeatureSupportChecker.CheckClient(ctx, withEndpoint{v3client.New(s.etcd.Server)}, storage.RequestWatchProgress)
}

// withEndpoint is a client that claims to have an endpoint.
type withEndpoint struct{ *clientv3.Client }

// Endpoints names the one there would be.
func (withEndpoint) Endpoints() []string { return []string{etcdEndpoint} }

func startEtcd(ctx context.Context, dir *dataDir, log io.Writer, verbosity int) (*etcdServer, error) {
	// A single member has no peers and tells nobody its address, but must have one.
	nobody := url.URL{Scheme: "http", Host: "127.0.0.1:1"}

	cfg := embed.NewConfig()
	cfg.Name = "simkube"
	cfg.Dir = dir.file("etcd")
	cfg.ListenClientUrls = nil
	cfg.AdvertiseClientUrls = []url.URL{nobody}
	cfg.ListenPeerUrls = nil
	cfg.AdvertisePeerUrls = []url.URL{nobody}
	cfg.InitialCluster = cfg.Name + "=" + nobody.String()
	// Nothing here is meant to survive a power cut, and syncing costs a disk round trip per write.
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
