package testkubelet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"
)

// DefaultNodeName is the name of the node if Options has none.
const DefaultNodeName = "real-1"

// Options are the options of a Kubelet.
type Options struct {
	// Kubeconfig is the path of an administrator's kubeconfig. Pods get its server and certificate
	// authority.
	Kubeconfig string
	// Dir is a folder for volumes and logs. It is not removed.
	Dir string
	// Images are the entrypoints of images. The arguments of containers are appended to them.
	Images map[string][]string
	// NodeName is the name of the node; empty means DefaultNodeName.
	NodeName string
	// Logger receives errors; nil discards them.
	Logger *slog.Logger
	// Clock is the clock; nil means the system's.
	Clock clock.WithTicker
}

// Kubelet is a running kubelet. Its methods may be called concurrently.
type Kubelet struct {
	opts    Options
	client  kubernetes.Interface
	config  *rest.Config
	address string
	starter *starter
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex // guards the rest
	images  map[string][]string
	workers map[types.UID]*worker
	stopped bool
}

// Start registers the node and runs its pods until Stop.
func Start(ctx context.Context, opts Options) (*Kubelet, error) {
	if opts.NodeName == "" {
		opts.NodeName = DefaultNodeName
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	config, err := clientcmd.BuildConfigFromFlags("", opts.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.QPS, config.Burst = -1, -1
	config.UserAgent = "testkubelet"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	address, err := machineAddress()
	if err != nil {
		return nil, err
	}
	k := &Kubelet{
		opts: opts, client: client, config: config, address: address,
		images: maps.Clone(opts.Images), workers: map[types.UID]*worker{},
	}
	if k.images == nil {
		k.images = map[string][]string{}
	}
	if err := k.register(ctx); err != nil {
		return nil, fmt.Errorf("register node %s: %w", opts.NodeName, err)
	}
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k.cancel = cancel
	k.starter = startStarter()
	k.running.Go(func() { k.heartbeat(lasting) })
	if err := k.watch(ctx, lasting); err != nil {
		return nil, errors.Join(fmt.Errorf("watch pods: %w", err), k.Stop(ctx))
	}
	return k, nil
}

// Stop kills all processes and waits for them. It leaves the pods and the node.
func (k *Kubelet) Stop(ctx context.Context) error {
	k.mu.Lock()
	k.stopped = true
	k.mu.Unlock()
	k.cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		k.running.Wait()
		k.starter.stop()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the pods of %s: %w", k.opts.NodeName, ctx.Err())
	}
}

// Address returns the address of the node and of all its pods.
func (k *Kubelet) Address() string { return k.address }

// SetImage adds an image, or changes what containers that are started from now on run.
func (k *Kubelet) SetImage(image string, entrypoint ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.images[image] = entrypoint
}

func (k *Kubelet) entrypoint(image string) ([]string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	entrypoint, ok := k.images[image]
	return entrypoint, ok
}

// Process is a container that runs.
type Process struct {
	Namespace, Pod, Container string
	PID                       int // also that of the process group
}

// Processes returns the containers that run now.
func (k *Kubelet) Processes() []Process {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []Process
	for _, w := range k.workers {
		all = append(all, w.processes()...)
	}
	return all
}

// Logs returns the output of the containers of all pods of that name, including deleted ones.
func (k *Kubelet) Logs(podNamespace, podName string) string {
	paths, _ := filepath.Glob(filepath.Join(k.opts.Dir, "logs", podNamespace, podName, "*.log"))
	var all []byte
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			data = []byte(err.Error())
		}
		all = append(all, data...)
	}
	return string(all)
}

func (k *Kubelet) openLog(pod *corev1.Pod, container string) (io.WriteCloser, error) {
	dir := filepath.Join(k.opts.Dir, "logs", pod.Namespace, pod.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, container+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// watch watches the node's pods in the background, and returns when the existing ones have been
// seen.
func (k *Kubelet) watch(ctx, lasting context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(k.client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", k.opts.NodeName).String()
	}))
	informer := factory.Core().V1().Pods().Informer()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { k.seen(lasting, object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { k.seen(lasting, object.(*corev1.Pod)) },
		DeleteFunc: func(object any) {
			if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			if pod, ok := object.(*corev1.Pod); ok {
				k.gone(pod)
			}
		},
	})
	if err != nil {
		return err
	}
	factory.Start(lasting.Done())
	k.running.Go(func() {
		<-lasting.Done()
		factory.Shutdown()
	})
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return context.Cause(ctx)
	}
	return nil
}

// seen starts a worker for a pod, or updates the one it has.
func (k *Kubelet) seen(ctx context.Context, pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.workers[pod.UID]; w != nil {
		w.update(pod)
		return
	}
	if k.stopped {
		return
	}
	w := newWorker(ctx, k, pod)
	k.workers[pod.UID] = w
	k.running.Go(func() {
		w.run()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.workers, pod.UID)
	})
}

// gone stops the worker of a pod that was deleted by force.
func (k *Kubelet) gone(pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.workers[pod.UID]; w != nil {
		w.kill()
	}
}

func (k *Kubelet) sleep(ctx context.Context, d time.Duration) error {
	timer := k.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
