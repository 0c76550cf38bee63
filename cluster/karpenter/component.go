package karpenter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/karpenter/pkg/apis"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/overlay"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeoverlay"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/operator/options"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/results"
)

// Name is the name of the component.
const Name = "karpenter"

// Options configure the component.
type Options struct {
	// Pools are the node pools and node classes that are created at the start.
	Pools *Pools
	// Types are the instance types that nodes can have.
	Types *instancetypes.List
	// FeatureGates are Karpenter's, such as "SpotToSpotConsolidation=true"; empty means its
	// defaults.
	FeatureGates string
	// ConsolidationInterval is how long Karpenter waits until it looks for underutilized nodes again,
	// if it has found nothing. 0 means the ten seconds that it waits by itself. It has no effect with
	// FullLoop.
	ConsolidationInterval time.Duration
	// FullLoop evaluates all methods of disruption every ten seconds, as Karpenter itself does it,
	// also if nothing has changed, and looks at all instance types. The decisions are the same without
	// it: the component ends with an error if a decision comes from an evaluation that would have been
	// left out.
	FullLoop bool
	// Speed divides the delays of instances; 0 means 1. Karpenter's own timers are not affected.
	Speed float64
	// Elapsed returns how much trace time has passed at a time on the clock since the start of the
	// trace; nil means since the component was made, with the given speed.
	Elapsed func(time.Time) time.Duration
	// Seed determines the delays of instances.
	Seed uint64
	// Decided, if not nil, is called with every decision of Karpenter, concurrently. It must return at
	// once.
	Decided func(results.Decision)
	// Handover, if not nil, can hand nodes over to the pools once the component is ready.
	Handover *Handover
	// Clock is the clock of Karpenter and of instances; nil means the system's clock.
	Clock clock.WithTickerAndDelayedExecution
}

// Component returns the component for controlplane.Options. Its error is about the options. It must
// be called before the control plane starts.
func Component(opts Options) (controlplane.Component, error) {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Speed == 0 {
		opts.Speed = 1
	}
	if opts.Elapsed == nil {
		made := opts.Clock.Now()
		opts.Elapsed = func(now time.Time) time.Duration { return time.Duration(float64(now.Sub(made)) * opts.Speed) }
	}
	if opts.Handover == nil {
		opts.Handover = &Handover{}
	}
	settings, err := settings(opts)
	if err != nil {
		return controlplane.Component{}, err
	}
	types, err := convertTypes(opts.Types)
	if err != nil {
		return controlplane.Component{}, err
	}
	// Both change what other components of the process read when they start.
	register()
	learnLabels(opts.Types)
	return controlplane.Component{
		Name:   Name,
		Groups: []string{user.SystemPrivilegedGroup},
		CRDs:   definitions(),
		Start: func(ctx context.Context, access controlplane.Access) (controlplane.Instance, error) {
			return start(options.ToContext(ctx, settings), access, opts, settings, types)
		},
	}, nil
}

// definitions returns Karpenter's custom resource definitions, and that of our node classes.
func definitions() []controlplane.Manifest {
	return []controlplane.Manifest{
		{Name: "karpenter.sh_nodepools.yaml", Data: apis.NodePoolCRD},
		{Name: "karpenter.sh_nodeclaims.yaml", Data: apis.NodeClaimCRD},
		{Name: "karpenter.sh_nodeoverlays.yaml", Data: apis.NodeOverlayCRD},
		{Name: "autoscaling.x-k8s.io_capacitybuffers.yaml", Data: apis.CapacityBufferCRD},
		{Name: "simkube.io_nodeclasses.yaml", Data: nodeClassCRD},
	}
}

// startTimeout bounds how long the first lists of Karpenter's controllers take.
const startTimeout = time.Minute

func start(ctx context.Context, access controlplane.Access, opts Options, settings *options.Options, types []*cloudprovider.InstanceType) (controlplane.Instance, error) {
	var end context.CancelCauseFunc // set when the controllers run
	mgr, err := newManager(ctx, access, settings)
	if err != nil {
		return controlplane.Instance{}, fmt.Errorf("set up: %w", err)
	}
	log := newLogger(access.Log)
	decided := newDecisions(opts.Clock, opts.Decided)
	events := newRecorder(opts.Clock, log, decided)
	var fewer *narrowed
	// An overlay is checked against all types.
	if !opts.FullLoop && !settings.FeatureGates.NodeOverlay {
		fewer = newNarrowed()
	}
	undecorated := newProvider(opts, mgr.GetClient(), types, fewer, decided, log)
	opts.Handover.connect(mgr.GetClient(), mgr.GetAPIReader(), undecorated)
	overlays := nodeoverlay.NewInstanceTypeStore()
	provider := overlay.Decorate(undecorated, mgr.GetClient(), overlays)
	cluster := state.NewCluster(opts.Clock, mgr.GetClient(), provider)
	all := parts{
		clock: opts.Clock, client: mgr.GetClient(), events: events, provider: provider, cloud: undecorated,
		cluster: cluster, overlays: overlays, decisions: decided, handover: opts.Handover, fullLoop: opts.FullLoop, interval: opts.ConsolidationInterval, fail: func(err error) { end(err) },
	}
	for _, c := range all.controllers(ctx) {
		if err := c.Register(ctx, mgr); err != nil {
			return controlplane.Instance{}, fmt.Errorf("register a controller: %w", err)
		}
	}
	objects, err := dynamic.NewForConfig(access.Config)
	if err != nil {
		return controlplane.Instance{}, fmt.Errorf("make client: %w", err)
	}
	if err := opts.Pools.create(ctx, objects); err != nil {
		return controlplane.Instance{}, err
	}
	run := func(ctx context.Context) error {
		defer undecorated.stop()
		running, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		end = cancel
		err := runManager(running, mgr)
		if ctx.Err() == nil {
			err = errors.Join(err, context.Cause(running))
		}
		return err
	}
	return controlplane.Instance{Run: run, Ready: func(ctx context.Context) error { return synced(ctx, mgr) }}, nil
}

// synced waits until the caches have all objects.
func synced(ctx context.Context, mgr manager.Manager) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return errors.New("its caches are not filled")
	}
	return nil
}
