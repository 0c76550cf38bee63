package karpenter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/awslabs/operatorpkg/status"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"

	simkubev1 "simkube.io/simkube/api/v1"
)

// providerPrefix begins the provider IDs of instances.
const providerPrefix = "simkube://"

// provider is the cloud: it launches and terminates instances, which have no processes. It is safe
// for concurrent use.
type provider struct {
	opts   Options
	client client.Client
	log    logr.Logger

	decisions *decisions

	ctx    context.Context // ends with stop
	cancel context.CancelFunc
	timers sync.WaitGroup // that will fire

	mu        sync.Mutex
	launched  uint64 // counts the instances
	instances map[string]*instance
	avoided   avoided
	// narrowed is nil if Karpenter gets all types.
	narrowed *narrowed
	startups map[string]Delay // of the types that have one
	// expected are the nodes that are handed over, by the names of their claims.
	expected map[string]expectedNode
}

var _ cloudprovider.CloudProvider = (*provider)(nil)

// expectedNode is a node that exists before its claim.
type expectedNode struct {
	node  *corev1.Node
	offer offer
}

// instance is a launched instance, until it has terminated.
type instance struct {
	claim  *v1.NodeClaim // as Create returned it
	kind   string        // the name of the instance type
	timers []clock.Timer
	// terminating is when it was told to stop, and stops how long that takes.
	terminating time.Time
	stops       time.Duration
}

func newProvider(opts Options, c client.Client, types []*cloudprovider.InstanceType, n *narrowed, d *decisions, log logr.Logger) *provider {
	p := &provider{
		opts: opts, client: c, decisions: d, log: log, instances: map[string]*instance{}, expected: map[string]expectedNode{}, avoided: avoided{all: types}, narrowed: n, startups: startups(opts.Types),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// stop ends everything that the provider has begun.
func (p *provider) stop() {
	p.cancel()
	p.mu.Lock()
	for id := range p.instances {
		p.end(id)
	}
	p.mu.Unlock()
	p.timers.Wait()
}

// after calls f for an instance after some time of the trace, unless the instance ends before. The
// caller holds the lock.
func (p *provider) after(i *instance, d time.Duration, f func()) {
	if p.ctx.Err() != nil {
		return
	}
	p.timers.Add(1)
	i.timers = append(i.timers, p.opts.Clock.AfterFunc(p.scaled(d), func() {
		defer p.timers.Done()
		f()
	}))
}

// end forgets an instance. The caller holds the lock.
func (p *provider) end(id string) {
	i := p.instances[id]
	p.cancelTimers(i)
	p.decisions.forget(i.claim.Name)
	p.narrowed.remove(i.kind)
	delete(p.instances, id)
}

// cancelTimers stops everything that waits for a time. The caller holds the lock.
func (p *provider) cancelTimers(i *instance) {
	for _, t := range i.timers {
		if t.Stop() {
			p.timers.Done()
		}
	}
	i.timers = nil
}

// Create implements cloudprovider.CloudProvider. It launches the cheapest instance that the claim
// allows.
func (p *provider) Create(ctx context.Context, claim *v1.NodeClaim) (*v1.NodeClaim, error) {
	class := &NodeClass{}
	if err := p.client.Get(ctx, client.ObjectKey{Name: claim.Spec.NodeClassRef.Name}, class); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, cloudprovider.NewNodeClassNotReadyError(fmt.Errorf("find the node class: %w", err))
		}
		return nil, fmt.Errorf("find the node class: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil, context.Cause(p.ctx)
	}
	now := p.opts.Clock.Now()
	elapsed := p.opts.Elapsed(now)
	if e, ok := p.expected[claim.Name]; ok {
		delete(p.expected, claim.Name)
		return p.launch(claim, class, e.offer, elapsed, e.node).DeepCopy(), nil
	}
	possible := offers(p.avoided.instanceTypes(now), claim)
	chosen := slices.IndexFunc(possible, func(o offer) bool {
		if class.Spec.short(o, elapsed) {
			p.avoided.add(o, now.Add(p.scaled(avoidedFor)))
			return false
		}
		return true
	})
	if chosen < 0 {
		err := errors.New("no instance type that the claim allows has capacity")
		p.decisions.noCapacity(claim, err)
		return nil, cloudprovider.NewInsufficientCapacityError(err)
	}
	launched := p.launch(claim, class, possible[chosen], elapsed, nil)
	p.decisions.launched(claim, possible[chosen], otherTypes(possible, possible[chosen]))
	return launched.DeepCopy(), nil
}

// expect makes the instance of the claim with a node's name be that node, which starts at once.
func (p *provider) expect(node *corev1.Node, o offer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected[node.Name] = expectedNode{node, o}
}

// launch launches an instance. Its node is made of an existing one, unless that is nil. The caller
// holds the lock.
func (p *provider) launch(claim *v1.NodeClaim, class *NodeClass, o offer, elapsed time.Duration, existing *corev1.Node) *v1.NodeClaim {
	p.launched++
	random := newRandom(p.opts.Seed, p.launched)
	launched := launchedClaim(claim, o.kind, o.offering)
	if existing != nil && len(existing.Status.Allocatable) > 0 {
		launched.Status.Capacity, launched.Status.Allocatable = existing.Status.Capacity, existing.Status.Allocatable
	}
	i := &instance{claim: launched, kind: o.kind.Name, stops: p.scaled(random.delay(class.Spec.Termination))}
	p.instances[launched.Status.ProviderID] = i
	p.narrowed.add(i.kind)
	node := newNode(claim, launched)
	if existing != nil {
		node = merged(existing, node)
	}
	node.Annotations[simkubev1.AnnotationPricePerHour] = strconv.FormatFloat(o.offering.Price, 'g', -1, 64)
	node.Annotations[simkubev1.AnnotationLaunched] = p.opts.Clock.Now().UTC().Format(time.RFC3339Nano)
	startup := class.Spec.Startup
	if own, ok := p.startups[o.kind.Name]; ok {
		startup = own
	}
	boots := random.delay(startup)
	if existing != nil {
		boots = 0
	}
	untaints := random.delay(class.Spec.StartupTaints)
	p.after(i, boots, func() { p.boot(node) })
	if len(claim.Spec.StartupTaints) > 0 {
		p.after(i, boots, func() { p.ready(i, claim.Spec.StartupTaints, untaints) })
	}
	if at, ok := class.Spec.interruption(o, elapsed, random); ok {
		p.after(i, at, func() { p.interruptAt(i, elapsed+at) })
	}
	return launched
}

// scaled returns a delay of the trace on the clock.
func (p *provider) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / p.opts.Speed)
}

// boot creates the node of an instance.
func (p *provider) boot(node *corev1.Node) {
	if err := p.client.Create(p.ctx, node); err != nil && p.ctx.Err() == nil {
		p.log.Error(err, "the node of an instance was not created", "node", node.Name)
	}
}

// Delete implements cloudprovider.CloudProvider.
func (p *provider) Delete(ctx context.Context, claim *v1.NodeClaim) error {
	id := claim.Status.ProviderID
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.instances[id]
	if i == nil {
		return notFound(id)
	}
	now := p.opts.Clock.Now()
	if i.terminating.IsZero() {
		i.terminating = now
		p.decisions.terminated(claim)
		p.cancelTimers(i)
	}
	if now.Sub(i.terminating) < i.stops {
		return nil
	}
	p.end(id)
	return notFound(id)
}

func notFound(id string) error {
	return cloudprovider.NewNodeClaimNotFoundError(fmt.Errorf("no instance %s", strings.TrimPrefix(id, providerPrefix)))
}

// Get implements cloudprovider.CloudProvider.
func (p *provider) Get(_ context.Context, id string) (*v1.NodeClaim, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.instances[id]
	if i == nil || p.gone(i) {
		return nil, notFound(id)
	}
	return i.claim.DeepCopy(), nil
}

// gone reports whether an instance has terminated. The caller holds the lock.
func (p *provider) gone(i *instance) bool {
	return !i.terminating.IsZero() && p.opts.Clock.Now().Sub(i.terminating) >= i.stops
}

// List implements cloudprovider.CloudProvider.
func (p *provider) List(context.Context) ([]*v1.NodeClaim, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*v1.NodeClaim
	for _, i := range p.instances {
		if !p.gone(i) {
			out = append(out, i.claim.DeepCopy())
		}
	}
	slices.SortFunc(out, func(a, b *v1.NodeClaim) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// GetInstanceTypes implements cloudprovider.CloudProvider.
func (p *provider) GetInstanceTypes(_ context.Context, pool *v1.NodePool) ([]*cloudprovider.InstanceType, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.narrowed.instanceTypes(pool, p.avoided.instanceTypes(p.opts.Clock.Now())), nil
}

// IsDrifted implements cloudprovider.CloudProvider. Karpenter itself finds that a pool has changed;
// nothing else can.
func (p *provider) IsDrifted(context.Context, *v1.NodeClaim) (cloudprovider.DriftReason, error) {
	return "", nil
}

// repairAfter is how long a node may not be ready before Karpenter replaces it, if its feature gate
// NodeRepair is on.
const repairAfter = 10 * time.Minute

// RepairPolicies implements cloudprovider.CloudProvider.
func (p *provider) RepairPolicies() []cloudprovider.RepairPolicy {
	return []cloudprovider.RepairPolicy{
		{ConditionType: corev1.NodeReady, ConditionStatus: corev1.ConditionFalse, TolerationDuration: repairAfter},
		{ConditionType: corev1.NodeReady, ConditionStatus: corev1.ConditionUnknown, TolerationDuration: repairAfter},
	}
}

// Name implements cloudprovider.CloudProvider.
func (p *provider) Name() string { return "simkube" }

// GetSupportedNodeClasses implements cloudprovider.CloudProvider.
func (p *provider) GetSupportedNodeClasses() []status.Object { return []status.Object{&NodeClass{}} }
