package karpenter

import (
	"context"
	"time"

	"github.com/awslabs/operatorpkg/controller"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/controllers/capacitybuffer"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
	"sigs.k8s.io/karpenter/pkg/controllers/dynamicresources/deviceallocation"
	"sigs.k8s.io/karpenter/pkg/controllers/node/health"
	nodehydration "sigs.k8s.io/karpenter/pkg/controllers/node/hydration"
	"sigs.k8s.io/karpenter/pkg/controllers/node/termination"
	"sigs.k8s.io/karpenter/pkg/controllers/node/termination/terminator"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/consistency"
	nodeclaimdisruption "sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/disruption"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/expiration"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/garbagecollection"
	nodeclaimhydration "sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/hydration"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/lifecycle"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeclaim/podevents"
	"sigs.k8s.io/karpenter/pkg/controllers/nodeoverlay"
	"sigs.k8s.io/karpenter/pkg/controllers/nodepool/counter"
	"sigs.k8s.io/karpenter/pkg/controllers/nodepool/hash"
	"sigs.k8s.io/karpenter/pkg/controllers/nodepool/readiness"
	"sigs.k8s.io/karpenter/pkg/controllers/nodepool/registrationhealth"
	nodepoolvalidation "sigs.k8s.io/karpenter/pkg/controllers/nodepool/validation"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/controllers/state/informer"
	staticdeprovisioning "sigs.k8s.io/karpenter/pkg/controllers/static/deprovisioning"
	staticprovisioning "sigs.k8s.io/karpenter/pkg/controllers/static/provisioning"
	"sigs.k8s.io/karpenter/pkg/events"
	"sigs.k8s.io/karpenter/pkg/operator/options"
	"sigs.k8s.io/karpenter/pkg/state/cost"
	"sigs.k8s.io/karpenter/pkg/state/nodepoolhealth"
	"sigs.k8s.io/karpenter/pkg/state/virtualpods"
)

// parts are what Karpenter's controllers are made of.
type parts struct {
	clock  clock.Clock
	client client.Client
	events events.Recorder
	// provider is the cloud with node overlays applied, cloud the one without.
	provider, cloud cloudprovider.CloudProvider
	cluster         *state.Cluster
	overlays        *nodeoverlay.InstanceTypeStore
	decisions       *decisions
	handover        *Handover
	// fullLoop runs all methods of disruption every time, as Karpenter does it, and fails if one that
	// would have been left out decides something.
	fullLoop bool
	// interval is Options.ConsolidationInterval.
	interval time.Duration
	// fail ends the component with an error.
	fail func(error)
}

// controllers returns Karpenter's controllers. They are those of controllers.NewControllers, but
// for the one that disrupts nodes, which runs only if it has something to do, and those that
// compute metrics. A test compares them.
func (p parts) controllers(ctx context.Context) []controller.Controller {
	settings := options.FromContext(ctx)
	devices := deviceallocation.NewController(p.client)
	virtualPods := virtualpods.NewVirtualPodCache(p.client)
	provisioner := provisioning.NewProvisioner(p.client, p.events, p.provider, p.cluster, p.clock, devices, virtualPods)
	evictions := terminator.NewQueue(p.client, p.events)
	queue := disruption.NewQueue(p.client, p.events, p.cluster, p.clock, provisioner)
	poolHealth := nodepoolhealth.NewState()
	costs := cost.NewClusterCost(ctx, p.provider, p.client)
	out := []controller.Controller{
		provisioner, evictions, queue,
		newDisruptor(p, provisioner, queue, costs),
		provisioning.NewPodController(p.client, provisioner, p.cluster),
		provisioning.NewNodeController(p.client, provisioner),
		hash.NewController(p.client, p.provider),
		expiration.NewController(p.clock, p.client, p.provider),
		informer.NewDaemonSetController(p.client, p.cluster),
		informer.NewNodeController(p.client, p.cluster),
		informer.NewPodController(p.client, p.cluster),
		informer.NewNodePoolController(p.client, p.provider, p.cluster, costs),
		informer.NewNodeClaimController(p.client, p.provider, p.cluster, costs),
		informer.NewPricingController(p.client, p.provider, costs),
		termination.NewController(p.clock, p.client, p.provider, terminator.NewTerminator(p.clock, p.client, evictions, p.events), p.events),
		readiness.NewController(p.clock, p.client, p.provider),
		registrationhealth.NewController(p.clock, p.client, p.provider, poolHealth),
		counter.NewController(p.client, p.provider, p.cluster),
		nodepoolvalidation.NewController(p.clock, p.client, p.provider),
		podevents.NewController(p.clock, p.client, p.provider),
		consistency.NewController(p.clock, p.client, p.provider, p.events),
		lifecycle.NewController(p.clock, p.client, p.provider, p.events, poolHealth, nil),
		garbagecollection.NewController(p.clock, p.client, p.provider),
		nodeclaimdisruption.NewController(p.clock, p.client, p.provider),
		nodeclaimhydration.NewController(p.client, p.provider),
		nodehydration.NewController(p.client, p.provider),
	}
	if !settings.IgnoreDRARequests {
		out = append(out, devices)
	}
	gates := settings.FeatureGates
	if gates.NodeRepair && len(p.provider.RepairPolicies()) > 0 {
		out = append(out, health.NewController(p.client, p.provider, p.clock, p.events))
	}
	if gates.StaticCapacity {
		out = append(out,
			staticprovisioning.NewController(p.client, p.cluster, p.events, p.provider, provisioner, p.clock, devices, virtualPods),
			staticdeprovisioning.NewController(p.client, p.cluster, p.provider, p.clock, p.events))
	}
	if gates.NodeOverlay {
		out = append(out, nodeoverlay.NewController(p.clock, p.client, p.cloud, p.overlays, p.cluster))
	}
	if gates.CapacityBuffer {
		out = append(out, capacitybuffer.NewController(p.client, provisioner, virtualPods))
	}
	return out
}
