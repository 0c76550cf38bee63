package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"simkube.io/simkube/cluster/internal/inprocess"
	"simkube.io/simkube/config"
)

// started guards Start: see ErrAlreadyStarted. It is process-wide because what it guards is.
var started atomic.Bool

// Start starts a control plane and returns when the API server is ready, all CRDs are served and
// all components are ready. If ctx ends during Start, everything is stopped again; later it has no
// effect: use Stop.
func Start(ctx context.Context, opts Options) (*ControlPlane, error) {
	opts.setDefaults()
	queue := &podQueue{}
	components, err := builtinComponents(opts, queue)
	if err != nil {
		return nil, err
	}
	cp, err := start(ctx, opts, append(components, opts.Components...))
	if err != nil {
		return nil, err
	}
	cp.queue = queue
	return cp, nil
}

// start is Start with these components.
func start(ctx context.Context, opts Options, components []Component) (_ *ControlPlane, err error) {
	if err := validateComponents(components); err != nil {
		return nil, err
	}
	manifests := append(builtinCRDs(), opts.CRDs...)
	for _, c := range components {
		manifests = append(manifests, c.CRDs...)
	}
	crds, err := parseCRDs(manifests)
	if err != nil {
		return nil, fmt.Errorf("read CRDs: %w", err)
	}
	crds = addDefinitions(crds, opts.Definitions)
	if !started.CompareAndSwap(false, true) {
		return nil, ErrAlreadyStarted
	}
	redirectLogs(opts.Log, opts.Verbosity)
	tuneGC()

	cp := newControlPlane(ctx, opts, components)
	if cp.dir, err = openDataDir(opts.DataDir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, cp.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := cp.startAPIServer(ctx); err != nil {
		return nil, err
	}
	if err := cp.await(ctx, nameAPIServer, cp.apiReady); err != nil {
		return nil, err
	}
	install := func(ctx context.Context) error { return installCRDs(ctx, cp.adminConfig(), crds) }
	if err := cp.await(ctx, "the CRDs", install); err != nil {
		return nil, err
	}
	grant := func(ctx context.Context) error { return grantRules(ctx, cp.adminConfig(), components) }
	if err := cp.await(ctx, "the components' rules", grant); err != nil {
		return nil, err
	}
	if err := cp.startComponents(ctx); err != nil {
		return nil, err
	}
	return cp, nil
}

// newControlPlane makes the accounts of a control plane.
func newControlPlane(ctx context.Context, opts Options, components []Component) *ControlPlane {
	cp := &ControlPlane{
		opts:       opts,
		transport:  &inprocess.Transport{},
		admin:      newAdmin(userAdmin),
		replay:     newAdmin(userReplay),
		supervisor: newSupervisor(context.WithoutCancel(ctx)),
	}
	for _, c := range components {
		cp.clients = append(cp.clients, &componentClient{
			Component: c,
			account:   newAccount(c.userName(), c.Groups...),
			transport: newClientTransport(cp.transport),
		})
	}
	return cp
}

// startAPIServer starts etcd and the API server.
func (cp *ControlPlane) startAPIServer(ctx context.Context) (err error) {
	listener, err := listen(ctx, cp.opts.Port)
	if err != nil {
		return fmt.Errorf("listen for the API server: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, listener.Close())
		}
	}()
	cp.server = "https://" + listener.Addr().String()
	if err := cp.connectInProcess(listener.Addr().String()); err != nil {
		return err
	}
	if err := cp.writeFiles(); err != nil {
		return err
	}
	etcd, err := startEtcd(ctx, cp.dir, cp.opts.Log, cp.opts.Verbosity)
	if err != nil {
		return err
	}
	cp.etcd = etcd
	cp.supervisor.adopt(nameEtcd, etcd.wait, etcd.stop)

	apiServer, err := newAPIServer(ctx, listener, cp.transport, apiServerArgs(cp.dir, cp.opts), cp.opts)
	if err != nil {
		return fmt.Errorf("%s: %w", nameAPIServer, err)
	}
	cp.supervisor.run(nameAPIServer, apiServer)
	return nil
}

// startComponents starts the components one after another, and then waits for all of them.
func (cp *ControlPlane) startComponents(ctx context.Context) error {
	ready := make([]func(context.Context) error, len(cp.clients))
	for i, c := range cp.clients {
		instance, err := cp.supervisor.start(ctx, c.Name, func(ctx context.Context) (Instance, error) {
			return c.Start(ctx, cp.access(c))
		})
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		ready[i] = instance.Ready
	}
	for i, c := range cp.clients {
		if ready[i] == nil {
			continue
		}
		if err := cp.await(ctx, c.Name, ready[i]); err != nil {
			return err
		}
	}
	return nil
}

// access returns how a component reaches the API server.
func (cp *ControlPlane) access(c *componentClient) Access {
	return Access{
		Config:     c.account.restConfig(cp.server, c.transport),
		Kubeconfig: cp.dir.kubeconfig(c.Name),
		Log:        cp.opts.Log,
		Verbosity:  cp.opts.Verbosity,
		dir:        cp.dir,
		transport:  c.transport,
	}
}

// await runs f, which must return when its context ends. The context also ends when a component
// stops by itself.
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

// apiReady waits until the API server says that it is ready.
func (cp *ControlPlane) apiReady(ctx context.Context) error {
	client, err := rest.HTTPClientFor(cp.adminConfig())
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	return pollReady(ctx, client, cp.server+"/readyz")
}

// writeFiles writes the files that etcd, the API server and the components read.
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
	accounts := []account{cp.admin, cp.replay}
	for _, c := range cp.clients {
		accounts = append(accounts, c.account)
		provider := inProcess(c.Name)
		if c.Outside {
			provider = nil
		}
		if err := c.account.writeKubeconfig(cp.dir.kubeconfig(c.Name), cp.server, cp.ca, provider); err != nil {
			return err
		}
	}
	if err := writeTokenFile(cp.dir.file("tokens.csv"), accounts); err != nil {
		return err
	}
	return cp.admin.writeKubeconfig(cp.Kubeconfig(), cp.server, cp.ca, nil)
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if len(o.Controllers) == 0 {
		o.Controllers = DefaultControllers()
	}
}

func builtinCRDs() []Manifest { return manifests("built-in CRD", config.CRDs()) }

// builtinStages leaves out the heartbeat of nodes: nothing waits for it, see controllerManager, and
// that of a thousand nodes costs time.
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
