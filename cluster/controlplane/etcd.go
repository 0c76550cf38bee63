package controlplane

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// etcdServer is the store, listening on a Unix socket in the data folder, so that
// only this user can reach it.
type etcdServer struct {
	etcd     *embed.Etcd
	endpoint string
}

func startEtcd(ctx context.Context, dir *dataDir, log io.Writer, verbosity int) (*etcdServer, error) {
	client := url.URL{Scheme: "unix", Path: dir.file("etcd.sock")}
	// A single member has no peers and tells nobody its address, but must have one.
	nobody := url.URL{Scheme: "http", Host: "127.0.0.1:1"}

	cfg := embed.NewConfig()
	cfg.Name = "simkube"
	cfg.Dir = dir.file("etcd")
	cfg.ListenClientUrls = []url.URL{client}
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
	s := &etcdServer{etcd: e, endpoint: client.String()}
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
