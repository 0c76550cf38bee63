package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"simkube.io/simkube/cluster/internal/inprocess"
	"simkube.io/simkube/config"
)

// ErrAlreadyStarted is returned by a second Start in one process.
var ErrAlreadyStarted = errors.New("a control plane was started in this process before; Kubernetes allows one per process")

// ComponentError says which component stopped by itself, and why.
type ComponentError struct {
	Component string
	Err       error
}

func (e *ComponentError) Error() string { return e.Component + " stopped: " + e.Err.Error() }

// Unwrap returns the component's own error.
func (e *ComponentError) Unwrap() error { return e.Err }

// ControlPlane is a running control plane. Its methods may be called concurrently.
type ControlPlane struct {
	dir        *dataDir
	transport  *inprocess.Transport // to the API server
	server     string
	ca         []byte
	creds      *credentials
	supervisor *supervisor
	etcd       *etcdServer
	stopOnce   sync.Once
	stopErr    error
}

// streamTimeout is how long Stop waits for watches once the API server has stopped.
const streamTimeout = time.Second

// started guards Start: see ErrAlreadyStarted. It is process-wide because what it guards is.
var started atomic.Bool

// Start brings a control plane up and returns once the API server is ready, the CRDs
// are served and the scheduler has seen the cluster. Cancelling ctx during Start undoes
// it; later it has no effect: use Stop.
func Start(ctx context.Context, opts Options) (_ *ControlPlane, err error) {
	crds, err := parseCRDs(append(builtinCRDs(), opts.CRDs...))
	if err != nil {
		return nil, fmt.Errorf("read CRDs: %w", err)
	}
	stages, err := parseStages(append(builtinStages(), opts.Stages...))
	if err != nil {
		return nil, fmt.Errorf("read KWOK stages: %w", err)
	}
	if !started.CompareAndSwap(false, true) {
		return nil, ErrAlreadyStarted
	}
	if opts.Log == nil {
		opts.Log = io.Discard
	}
	if len(opts.Controllers) == 0 {
		opts.Controllers = DefaultControllers()
	}
	redirectLogs(opts.Log, opts.Verbosity)
	tuneGC()

	cp := &ControlPlane{creds: newCredentials(), transport: &inprocess.Transport{}, supervisor: newSupervisor(context.WithoutCancel(ctx))}
	if cp.dir, err = openDataDir(opts.DataDir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, cp.Stop(context.WithoutCancel(ctx)))
		}
	}()
	listener, err := listen(ctx, opts.Port)
	if err != nil {
		return nil, fmt.Errorf("listen for the API server: %w", err)
	}
	cp.server = "https://" + listener.Addr().String()
	if err := cp.connectInProcess(listener.Addr().String()); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := cp.writeFiles(); err != nil {
		return nil, errors.Join(err, listener.Close())
	}

	etcd, err := startEtcd(ctx, cp.dir, opts.Log, opts.Verbosity)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	cp.etcd = etcd
	cp.supervisor.adopt("etcd", etcd.wait, etcd.stop)

	apiServer, err := newAPIServer(ctx, listener, cp.transport, apiServerArgs(cp.dir, opts), opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("kube-apiserver: %w", err), listener.Close())
	}
	cp.supervisor.run("kube-apiserver", apiServer)
	if err := cp.await(ctx, "kube-apiserver", cp.apiReady); err != nil {
		return nil, err
	}
	if err := cp.await(ctx, "the CRDs", func(ctx context.Context) error { return installCRDs(ctx, cp.config(userAdmin), crds) }); err != nil {
		return nil, err
	}
	if err := cp.startClients(ctx, opts, stages); err != nil {
		return nil, err
	}
	return cp, nil
}

// startClients starts the components that are clients of the API server.
func (cp *ControlPlane) startClients(ctx context.Context, opts Options, stages stagesByResource) error {
	lasting := context.WithoutCancel(ctx)
	manager, err := newControllerManager(lasting, controllerManagerArgs(cp.dir, opts.Controllers, opts.KubeAPIQPS))
	if err != nil {
		return fmt.Errorf("kube-controller-manager: %w", err)
	}
	cp.supervisor.run("kube-controller-manager", manager)

	args, err := schedulerArgs(cp.dir, opts.SchedulerConfig, opts.KubeAPIQPS)
	if err != nil {
		return fmt.Errorf("kube-scheduler: %w", err)
	}
	scheduler, schedulerReady, err := newScheduler(lasting, args)
	if err != nil {
		return fmt.Errorf("kube-scheduler: %w", err)
	}
	cp.supervisor.run("kube-scheduler", scheduler)

	err = cp.supervisor.start("kwok", func(ctx context.Context) error {
		return startKWOK(ctx, cp.dir.file("kwok.kubeconfig"), stages, opts)
	})
	if err != nil {
		return fmt.Errorf("kwok: %w", err)
	}
	return cp.await(ctx, "kube-scheduler", schedulerReady)
}

// await runs f, which must honour its context, and gives up when a component stops meanwhile.
func (cp *ControlPlane) await(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-cp.supervisor.done:
			cancel(cp.supervisor.failure())
		case <-ctx.Done():
		}
	}()
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-watched
	if err != nil {
		return fmt.Errorf("wait for %s: %w", what, err)
	}
	return nil
}

// apiReady polls the API server's own word for being ready.
func (cp *ControlPlane) apiReady(ctx context.Context) error {
	client, err := rest.HTTPClientFor(cp.config(userAdmin))
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	return pollReady(ctx, client, cp.server+"/readyz")
}

func (cp *ControlPlane) writeFiles() error {
	now := time.Now()
	ca, err := newAuthority(now)
	if err != nil {
		return err
	}
	cp.ca = ca.pem
	if err := os.WriteFile(cp.dir.file("ca.crt"), ca.pem, 0o600); err != nil {
		return fmt.Errorf("write the authority: %w", err)
	}
	if err := ca.writeServing(now, cp.dir.file("apiserver.crt"), cp.dir.file("apiserver.key")); err != nil {
		return err
	}
	if err := writeSigningKey(cp.dir.file("sa.key")); err != nil {
		return err
	}
	if err := cp.creds.writeTokenFile(cp.dir.file("tokens.csv")); err != nil {
		return err
	}
	for name, u := range map[string]user{
		"kubeconfig":                    userAdmin,
		"controller-manager.kubeconfig": userControllerManager,
		"scheduler.kubeconfig":          userScheduler,
		"kwok.kubeconfig":               userKWOK,
	} {
		if err := cp.creds.writeKubeconfig(u, cp.server, cp.ca, cp.dir.file(name)); err != nil {
			return err
		}
	}
	return nil
}

func (cp *ControlPlane) config(u user) *rest.Config {
	return cp.creds.restConfig(u, cp.server, cp.transport)
}

// RESTConfig returns how to reach the API server as the cluster's administrator from within this process, with no
// client-side rate limit and no network in between. The caller may change it.
func (cp *ControlPlane) RESTConfig() *rest.Config { return cp.config(userReplay) }

// Server returns the API server's URL.
func (cp *ControlPlane) Server() string { return cp.server }

// Kubeconfig returns the path of an administrator's kubeconfig, gone after Stop if
// the data folder is temporary.
func (cp *ControlPlane) Kubeconfig() string { return cp.dir.file("kubeconfig") }

// DataDir returns the folder the control plane writes to.
func (cp *ControlPlane) DataDir() string { return cp.dir.path }

// Done is closed when a component has stopped without being asked. The others run
// until Stop.
func (cp *ControlPlane) Done() <-chan struct{} { return cp.supervisor.done }

// Err returns a *ComponentError once Done is closed, and nil before.
func (cp *ControlPlane) Err() error { return cp.supervisor.failure() }

// Stop ends all components in reverse order, waits for them, and removes a temporary data
// folder. It may be called more than once. When ctx ends first, it returns an error
// naming what still runs, with the folder removed all the same. After a component's failure
// the others get a few seconds, and what is left of them goes with the process.
func (cp *ControlPlane) Stop(ctx context.Context) error {
	cp.stopOnce.Do(func() {
		stopErr := cp.supervisor.stop(ctx)
		// Whoever is left finds nobody to ask. A watch that does not end goes with the process.
		streamCtx, cancel := context.WithTimeout(ctx, streamTimeout)
		defer cancel()
		_ = cp.transport.Close(streamCtx)
		cp.stopErr = errors.Join(stopErr, cp.dir.close())
	})
	return cp.stopErr
}

// Abandon has the API server answer no more requests, so that the components have little left to
// do. It is for a control plane that nobody needs any more, and whose process is about to end.
func (cp *ControlPlane) Abandon() { cp.transport.Refuse() }

func builtinCRDs() []Manifest { return manifests("built-in CRD", config.CRDs()) }

// builtinStages leaves the heartbeat of nodes out: nobody waits for it here, see
// controllerManagerArgs, and a thousand hearts are a load.
func builtinStages() []Manifest {
	stages := config.Stages()
	stages = slices.DeleteFunc(stages, func(f config.File) bool { return f.Name == "node-heartbeat.yaml" })
	return manifests("built-in stage", stages)
}

func manifests(what string, files []config.File) []Manifest {
	var out []Manifest
	for _, f := range files {
		out = append(out, Manifest{Name: what + " " + f.Name, Data: f.Data})
	}
	return out
}
