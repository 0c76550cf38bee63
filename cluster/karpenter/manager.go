package karpenter

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/operator/options"

	"simkube.io/simkube/cluster/controlplane"
)

// settings returns Karpenter's own options. They are parsed as Karpenter does it, since feature
// gates cannot be set otherwise. Its defaults come from the environment of the process, which is
// not meant for Karpenter: every option that has an effect is set.
func settings(opts Options) (*options.Options, error) {
	out := &options.Options{}
	flags := &options.FlagSet{FlagSet: flag.NewFlagSet(Name, flag.ContinueOnError)}
	flags.SetOutput(io.Discard)
	out.AddFlags(flags)
	args := []string{
		"--disable-leader-election=true",
		// Metrics that nobody reads cost a timer for each node.
		"--disable-cluster-state-observability=true",
		"--log-level=info",
		"--batch-max-duration=10s",
		"--batch-idle-duration=1s",
		"--preference-policy=Respect",
		"--min-values-policy=Strict",
		"--ignore-dra-requests=true",
		"--cpu-requests=1000",
		"--feature-gates=" + opts.FeatureGates,
	}
	if err := out.Parse(flags, args...); err != nil {
		return nil, fmt.Errorf("invalid feature gates %q: %w", opts.FeatureGates, err)
	}
	return out, nil
}

func newLogger(w io.Writer) logr.Logger {
	return logr.FromSlogHandler(slog.NewTextHandler(w, nil)).WithName(Name)
}

// newManager returns the manager of Karpenter's controllers. It does not listen.
func newManager(ctx context.Context, access controlplane.Access, settings *options.Options) (manager.Manager, error) {
	log := newLogger(access.Log)
	ctrllog.SetLogger(log)
	mgr, err := manager.New(access.Config, manager.Options{
		Scheme:                 scheme.Scheme,
		Logger:                 log,
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		// Karpenter copies nodes and pods whenever it plans, and never reads their managed fields.
		Cache:     cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		NewClient: newClient,
		BaseContext: func() context.Context {
			return options.ToContext(ctrllog.IntoContext(context.WithoutCancel(ctx), log), settings)
		},
		Controller: ctrlconfig.Controller{
			// The priority queue has a timer that fires twice a second, and so keeps virtual time from
			// jumping.
			UsePriorityQueue: new(false),
			// Another simulation in this process, in a test, has controllers of the same names.
			SkipNameValidation: new(true),
		},
	})
	if err != nil {
		return nil, err
	}
	return mgr, index(ctx, mgr)
}

// startable is what runManager needs of a manager.
type startable interface {
	Start(ctx context.Context) error
	// Elected returns a channel that is closed once everything has started.
	Elected() <-chan struct{}
}

// runManager runs a manager until ctx ends. A manager whose context ends while it starts does not
// stop before its caches are filled: it asks for that without a pause, so that virtual time stands
// still, and the caches wait for it. So it is not told before it has started.
func runManager(ctx context.Context, mgr startable) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan struct{})
	var waits sync.WaitGroup
	waits.Go(func() {
		select {
		case <-ctx.Done():
		case <-ended:
		}
		select {
		case <-mgr.Elected():
			stop()
		case <-ended:
		}
	})
	err := mgr.Start(running)
	close(ended)
	waits.Wait()
	return err
}

// newClient returns the client of Karpenter's controllers.
func newClient(config *rest.Config, opts client.Options) (client.Client, error) {
	c, err := client.New(config, opts)
	if err != nil {
		return nil, err
	}
	return countingClient{c}, nil
}

// countingClient does not copy the pods in lists by a label selector. Karpenter only counts them,
// for a topology spread or an affinity, whenever it plans. If that changes, the tests fail with
// KUBE_CACHE_MUTATION_DETECTOR=true.
type countingClient struct{ client.Client }

// List implements client.Reader.
func (c countingClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if _, ok := list.(*corev1.PodList); ok && len(opts) == 1 {
		if o, ok := opts[0].(*client.ListOptions); ok && o.LabelSelector != nil && o.FieldSelector == nil {
			opts = append(opts, client.UnsafeDisableDeepCopy)
		}
	}
	return c.Client.List(ctx, list, opts...)
}

// index adds the indexes that Karpenter's controllers look objects up with.
func index(ctx context.Context, mgr manager.Manager) error {
	class := func(ref *v1.NodeClassReference, get func(*v1.NodeClassReference) string) []string {
		if ref == nil {
			return []string{""}
		}
		return []string{get(ref)}
	}
	group := func(ref *v1.NodeClassReference) string { return ref.Group }
	kind := func(ref *v1.NodeClassReference) string { return ref.Kind }
	name := func(ref *v1.NodeClassReference) string { return ref.Name }
	ofClaim := func(get func(*v1.NodeClassReference) string) client.IndexerFunc {
		return func(o client.Object) []string { return class(o.(*v1.NodeClaim).Spec.NodeClassRef, get) }
	}
	ofPool := func(get func(*v1.NodeClassReference) string) client.IndexerFunc {
		return func(o client.Object) []string { return class(o.(*v1.NodePool).Spec.Template.Spec.NodeClassRef, get) }
	}
	for _, i := range []struct {
		object client.Object
		field  string
		value  client.IndexerFunc
	}{
		{&corev1.Pod{}, "spec.nodeName", func(o client.Object) []string { return []string{o.(*corev1.Pod).Spec.NodeName} }},
		{&corev1.Node{}, "spec.providerID", func(o client.Object) []string { return []string{o.(*corev1.Node).Spec.ProviderID} }},
		{&storagev1.VolumeAttachment{}, "spec.nodeName", func(o client.Object) []string {
			return []string{o.(*storagev1.VolumeAttachment).Spec.NodeName}
		}},
		{&v1.NodeClaim{}, "status.providerID", func(o client.Object) []string { return []string{o.(*v1.NodeClaim).Status.ProviderID} }},
		{&v1.NodeClaim{}, "spec.nodeClassRef.group", ofClaim(group)},
		{&v1.NodeClaim{}, "spec.nodeClassRef.kind", ofClaim(kind)},
		{&v1.NodeClaim{}, "spec.nodeClassRef.name", ofClaim(name)},
		{&v1.NodePool{}, "spec.template.spec.nodeClassRef.group", ofPool(group)},
		{&v1.NodePool{}, "spec.template.spec.nodeClassRef.kind", ofPool(kind)},
		{&v1.NodePool{}, "spec.template.spec.nodeClassRef.name", ofPool(name)},
	} {
		if err := mgr.GetFieldIndexer().IndexField(ctx, i.object, i.field, i.value); err != nil {
			return fmt.Errorf("index %s: %w", i.field, err)
		}
	}
	return nil
}
