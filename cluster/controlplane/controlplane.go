package controlplane

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"simkube.io/simkube/cluster/internal/inprocess"
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
	opts       Options
	dir        *dataDir
	transport  *inprocess.Transport // to the API server
	server     string
	ca         []byte
	admin      account
	replay     account
	clients    []*componentClient
	supervisor *supervisor
	queue      *podQueue
	etcd       *etcdServer
	stopOnce   sync.Once
	stopErr    error
}

// componentClient is a component with its account and its way to the API server.
type componentClient struct {
	Component
	account   account
	transport *clientTransport
}

// Names of what is started before the components.
const (
	nameEtcd      = "etcd"
	nameAPIServer = "kube-apiserver"
)

// RESTConfig returns how to reach the API server as an administrator from within this process, with
// no client-side rate limit and no network in between. The caller may change it.
func (cp *ControlPlane) RESTConfig() *rest.Config {
	return cp.replay.restConfig(cp.server, cp.transport)
}

// adminConfig is like RESTConfig, for the control plane itself.
func (cp *ControlPlane) adminConfig() *rest.Config {
	return cp.admin.restConfig(cp.server, cp.transport)
}

// Server returns the API server's URL.
func (cp *ControlPlane) Server() string { return cp.server }

// Kubeconfig returns the path of an administrator's kubeconfig. If the data folder is temporary,
// Stop removes it.
func (cp *ControlPlane) Kubeconfig() string { return cp.dir.file("kubeconfig") }

// DataDir returns the folder the control plane writes to.
func (cp *ControlPlane) DataDir() string { return cp.dir.path }

// Done is closed when a component has stopped by itself. The others run until Stop.
func (cp *ControlPlane) Done() <-chan struct{} { return cp.supervisor.done }

// Err returns a *ComponentError once Done is closed, and nil before.
func (cp *ControlPlane) Err() error { return cp.supervisor.failure() }

// RetryPods has the scheduler try every pod again that it found no node for, at once. By itself it
// does so when something changes that may let the pod run, and otherwise after
// Options.UnschedulableTimeout. It misses some changes: a pod with an affinity to others by a
// namespaceSelector is not tried again when one of them is placed (kubernetes/kubernetes#141953).
func (cp *ControlPlane) RetryPods(ctx context.Context) { cp.queue.retry(ctx) }

// streamTimeout is how long Stop waits for watches once the API server has stopped.
const streamTimeout = time.Second

// Stop stops all components in reverse order, waits for them, and removes a temporary data folder.
// It may be called more than once. When ctx ends first, it returns an error that names what still
// runs; the folder is removed all the same. After the failure of a component it waits for a few
// seconds, and what still runs then ends with the process.
func (cp *ControlPlane) Stop(ctx context.Context) error {
	cp.stopOnce.Do(func() {
		stopErr := cp.supervisor.stop(ctx)
		streamCtx, cancel := context.WithTimeout(ctx, streamTimeout)
		defer cancel()
		_ = cp.transport.Close(streamCtx) // a watch that does not end goes with the process
		cp.stopErr = errors.Join(stopErr, cp.dir.close())
	})
	return cp.stopErr
}

// Abandon has the API server answer no more requests, so that the components have little left to
// do. It is for a control plane that is not needed any more and whose process is about to end: a
// component that stops later is no failure.
func (cp *ControlPlane) Abandon() {
	cp.supervisor.expect()
	cp.transport.Refuse()
}
