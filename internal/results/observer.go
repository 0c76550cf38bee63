package results

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Options configure an [Observer].
type Options struct {
	// PodSelector is a label selector for the pods to observe, such as [SimulationSelector] returns;
	// empty means all. NodeSelector does the same for nodes.
	PodSelector  string
	NodeSelector string
	// Clock stamps what the watches deliver. It is the real clock by default.
	Clock clock.PassiveClock
	// Logger logs errors of the watches, such as a lost connection. Nothing is logged by default.
	Logger *slog.Logger
	// OnChange, if not nil, is called after each change, from more than one goroutine.
	OnChange func()
	// Failures watches events of controllers that could not create pods, if the observer may. Without
	// it, something else can call [Observer.CreateFailed].
	Failures bool
	// Ignore, if not nil, reports whether a controller that could not create a pod lacks nothing, by
	// its message.
	Ignore func(message string) bool
	// Namespace returns the recorded name of a namespace, and whether it belongs to the simulation.
	// It is nil if all do, and have their names.
	Namespace func(string) (string, bool)
}

// SimulationSelector selects the pods of a simulation.
func SimulationSelector(simulation string) string {
	return labels.Set{simkubev1.LabelSimulation: simkubev1.LabelValue(simulation)}.String()
}

// Observer feeds a [Recorder] from watches on the pods and nodes of a cluster. It keeps no objects.
type Observer struct {
	opts   Options
	client kubernetes.Interface
	rec    *Recorder
	cancel context.CancelFunc
	done   sync.WaitGroup
	// closed is closed when the watches end.
	closed <-chan struct{}
	// failed are events of controllers that could not create pods.
	failed chan *corev1.Event
	// controllers are those that could not create pods: corev1.ObjectReference by UID.
	controllers sync.Map
}

// Start starts the watches, and returns when everything that exists has been recorded. The watches
// end with [Observer.Stop] or with ctx; one that breaks is restarted. If Start returns an error,
// nothing is left running.
func Start(ctx context.Context, client kubernetes.Interface, rec *Recorder, opts Options) (*Observer, error) {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	watchCtx, cancel := context.WithCancel(ctx)
	o := &Observer{
		opts: opts, client: client, rec: rec, cancel: cancel,
		closed: watchCtx.Done(), failed: make(chan *corev1.Event, maxFailed),
	}
	o.done.Go(func() { o.takeFailures(watchCtx) })
	pods, nodes := newFeed(o.podChanged, o.podDeleted, o.podsListed), newFeed(o.nodeChanged, o.nodeDeleted, o.nodesListed)
	o.watch(watchCtx, "pods", &corev1.Pod{}, o.podsFrom(), pods)
	o.watch(watchCtx, "nodes", &corev1.Node{}, o.nodesFrom(), nodes)
	waitFor := []<-chan struct{}{pods.ready, nodes.ready}
	if opts.Failures && o.mayWatchFailures(ctx) {
		events := o.failureFeed(watchCtx)
		o.watch(watchCtx, "events", &corev1.Event{}, o.failuresFrom(), events)
		waitFor = append(waitFor, events.ready)
	}
	for _, ready := range waitFor {
		select {
		case <-ready:
		case <-ctx.Done():
			cancel()
			o.done.Wait()
			return nil, fmt.Errorf("watch pods and nodes: %w", context.Cause(ctx))
		}
	}
	return o, nil
}

// Stop ends the watches, waits for their goroutines, and then lists pods and nodes once more, so
// that the record ends with the state in the API server. It can be called again, to list again.
func (o *Observer) Stop(ctx context.Context) error {
	o.Close()
	return o.list(ctx)
}

// Close ends the watches and waits for their goroutines.
func (o *Observer) Close() {
	o.cancel()
	o.done.Wait()
}

func (o *Observer) watch(ctx context.Context, name string, kind runtime.Object, lw *cache.ListWatch, to cache.ReflectorStore) {
	logger := logr.FromSlogHandler(o.opts.Logger.Handler())
	// Not every client can stream its first list; the reflector asks the client.
	reflector := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, o.client), kind, to,
		cache.ReflectorOptions{Name: "results/" + name, Logger: &logger})
	ctx = klog.NewContext(ctx, logger)
	o.done.Go(func() { reflector.RunWithContext(ctx) })
}

func (o *Observer) podsFrom() *cache.ListWatch {
	pods, selector := o.client.CoreV1().Pods(metav1.NamespaceAll), o.opts.PodSelector
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			opts.LabelSelector = selector
			return pods.List(ctx, opts)
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			opts.LabelSelector = selector
			return pods.Watch(ctx, opts)
		},
	}
}

func (o *Observer) nodesFrom() *cache.ListWatch {
	nodes, selector := o.client.CoreV1().Nodes(), o.opts.NodeSelector
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
			opts.LabelSelector = selector
			return nodes.List(ctx, opts)
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			opts.LabelSelector = selector
			return nodes.Watch(ctx, opts)
		},
	}
}

// list records everything that exists.
func (o *Observer) list(ctx context.Context) error {
	var pods []*corev1.Pod
	listPods := pager.New(pager.ListPageFunc(o.podsFrom().ListWithContextFunc))
	errPods := listPods.EachListItem(ctx, metav1.ListOptions{}, func(obj runtime.Object) error {
		pods = append(pods, obj.(*corev1.Pod))
		return nil
	})
	var nodes []*corev1.Node
	listNodes := pager.New(pager.ListPageFunc(o.nodesFrom().ListWithContextFunc))
	errNodes := listNodes.EachListItem(ctx, metav1.ListOptions{}, func(obj runtime.Object) error {
		nodes = append(nodes, obj.(*corev1.Node))
		return nil
	})
	if err := errors.Join(errPods, errNodes); err != nil {
		return fmt.Errorf("list pods and nodes at the end: %w", err)
	}
	o.takeRest(ctx)
	o.lookAgain(ctx)
	now := o.opts.Clock.Now()
	o.rec.PodsListed(now, pods)
	o.rec.NodesListed(now, nodes)
	return nil
}

func (o *Observer) podChanged(pod *corev1.Pod) {
	o.took(func(t time.Time) { o.rec.PodChanged(t, pod) })
}

func (o *Observer) podDeleted(pod *corev1.Pod) {
	o.took(func(t time.Time) { o.rec.PodDeleted(t, pod) })
}

func (o *Observer) podsListed(pods []*corev1.Pod) {
	o.took(func(t time.Time) { o.rec.PodsListed(t, pods) })
}

func (o *Observer) nodeChanged(n *corev1.Node) { o.took(func(t time.Time) { o.rec.NodeChanged(t, n) }) }

func (o *Observer) nodeDeleted(n *corev1.Node) { o.took(func(t time.Time) { o.rec.NodeDeleted(t, n) }) }

func (o *Observer) nodesListed(list []*corev1.Node) {
	o.took(func(t time.Time) { o.rec.NodesListed(t, list) })
}

func (o *Observer) took(take func(now time.Time)) {
	take(o.opts.Clock.Now())
	if o.opts.OnChange != nil {
		o.opts.OnChange()
	}
}
