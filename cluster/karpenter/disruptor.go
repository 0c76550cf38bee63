package karpenter

import (
	"context"
	"fmt"
	"time"

	"github.com/awslabs/operatorpkg/reconciler"
	"github.com/awslabs/operatorpkg/singleton"
	corev1 "k8s.io/api/core/v1"
	controllerruntime "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/controllers/disruption"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/state/cost"
	disruptionutils "sigs.k8s.io/karpenter/pkg/utils/disruption"
	podutils "sigs.k8s.io/karpenter/pkg/utils/pod"
)

// disruptionPeriod is how long Karpenter waits until it looks for nodes to disrupt again.
const disruptionPeriod = 10 * time.Second

// heldPeriod is how long the disruptor waits while nodes are handed over.
const heldPeriod = time.Second

// disruptor is Karpenter's disruption controller. Every ten seconds that copies all nodes for each
// method of disruption, and evaluates all of them as candidates, though seldom anything changed.
// The disruptor leaves out the methods that cannot have a candidate, and those that have found
// nothing to do since the last change of the cluster. Decisions are not affected, except that the
// evaluation that Karpenter repeats every five minutes without a change may come earlier.
type disruptor struct {
	parts
	methods []disruption.Method
	// controllers have some of the methods each, by which they have.
	controllers map[selection]*disruption.Controller
	make        func([]disruption.Method) *disruption.Controller
	// looked is when a method of consolidation has last found nothing to do, by its bit.
	looked map[selection]time.Time
	// started are the commands of the running reconciliation.
	started []startedCommand
}

type startedCommand struct {
	disruption.Command
	by selection
}

// selection is a set of methods: bit i is that of methods[i].
type selection uint8

// consolidating is what the methods have in common that remember when they had nothing to do.
type consolidating interface{ IsConsolidated() bool }

func newDisruptor(p parts, provisioner *provisioning.Provisioner, queue *disruption.Queue, costs *cost.ClusterCost) *disruptor {
	d := &disruptor{parts: p, controllers: map[selection]*disruption.Controller{}, looked: map[selection]time.Time{}}
	d.methods = disruption.NewMethods(p.clock, p.cluster, p.client, provisioner, p.provider, p.events, queue)
	d.make = func(methods []disruption.Method) *disruption.Controller {
		return disruption.NewController(p.clock, p.client, provisioner, p.provider, p.events, p.cluster, queue, costs,
			disruption.WithMethods(methods...))
	}
	return d
}

// Register implements controller.Controller.
func (d *disruptor) Register(_ context.Context, mgr manager.Manager) error {
	return controllerruntime.NewControllerManagedBy(mgr).
		Named("disruption").
		WatchesRawSource(singleton.Source()).
		Complete(singleton.AsReconciler(d))
}

// Reconcile implements singleton.Reconciler.
func (d *disruptor) Reconcile(ctx context.Context) (reconciler.Result, error) {
	if held := d.handover.held(d.clock.Now()); held > 0 {
		return reconciler.Result{RequeueAfter: min(held, heldPeriod)}, nil
	}
	chosen, err := d.choose(ctx)
	if err != nil {
		return reconciler.Result{}, err
	}
	run := chosen
	if d.fullLoop {
		run = 1<<len(d.methods) - 1
	}
	if run == 0 && !d.tainted() {
		return reconciler.Result{RequeueAfter: disruptionPeriod}, nil
	}
	d.started = nil
	result, err := d.controller(run).Reconcile(ctx)
	for _, c := range d.started {
		if c.by&chosen == 0 {
			d.fail(fmt.Errorf("the disruption controller would have left out %s", c.String()))
		}
		if err == nil {
			d.decisions.command(c.Command)
		}
	}
	return result, err
}

// controller returns the controller with the chosen methods.
func (d *disruptor) controller(chosen selection) *disruption.Controller {
	if c := d.controllers[chosen]; c != nil {
		return c
	}
	methods := []disruption.Method{}
	for i, m := range d.methods {
		if chosen&(1<<i) != 0 {
			methods = append(methods, d.observed(m, 1<<i))
		}
	}
	c := d.make(methods)
	d.controllers[chosen] = c
	return c
}

// choose returns the methods that may have something to do.
func (d *disruptor) choose(ctx context.Context) (selection, error) {
	found, err := d.candidates(ctx)
	if err != nil {
		return 0, err
	}
	var chosen selection
	for i, m := range d.methods {
		var has bool
		switch m.(type) {
		case *disruption.Emptiness:
			has = found.empty
		case *disruption.StaticDrift, *disruption.Drift:
			has = found.drifted
		default:
			has = found.consolidatable && d.due(1<<i)
		}
		if c, ok := m.(consolidating); has && (!ok || !c.IsConsolidated()) {
			chosen |= 1 << i
		}
	}
	return chosen, nil
}

// due reports whether the method of a bit must look for nodes again.
func (d *disruptor) due(bit selection) bool {
	return d.fullLoop || d.interval == 0 || d.clock.Since(d.looked[bit]) >= d.interval
}

// candidates says which kinds of candidates there may be.
type candidates struct {
	empty, consolidatable, drifted bool
}

// candidates looks at the nodes. It errs on the side of candidates that Karpenter then rejects.
func (d *disruptor) candidates(ctx context.Context) (candidates, error) {
	policies := map[string]v1.ConsolidationPolicy{}
	pools := &v1.NodePoolList{}
	if err := d.client.List(ctx, pools, client.UnsafeDisableDeepCopy); err != nil {
		return candidates{}, err
	}
	for i := range pools.Items {
		policies[pools.Items[i].Name] = pools.Items[i].Spec.Disruption.ConsolidationPolicy
	}
	var found candidates
	var names []string // of nodes that may be empty
	for n := range d.cluster.Nodes() {
		if n.NodeClaim == nil || n.Node == nil || n.MarkedForDeletion() {
			continue
		}
		conditions := n.NodeClaim.StatusConditions()
		if conditions.IsTrue(v1.ConditionTypeDrifted) {
			found.drifted = true
		}
		if !conditions.IsTrue(v1.ConditionTypeConsolidatable) {
			continue
		}
		if policies[n.NodeClaim.Labels[v1.NodePoolLabelKey]] != v1.ConsolidationPolicyWhenEmpty {
			found.consolidatable = true
		}
		names = append(names, n.Node.Name)
	}
	for _, name := range names {
		empty, err := d.empty(ctx, name)
		if err != nil {
			return candidates{}, err
		}
		if empty {
			found.empty = true
			break
		}
	}
	return found, nil
}

// empty reports whether a node may be one that Karpenter takes for empty: whether no pod of it
// costs anything to evict.
func (d *disruptor) empty(ctx context.Context, node string) (bool, error) {
	pods := &corev1.PodList{}
	if err := d.client.List(ctx, pods, client.MatchingFields{"spec.nodeName": node}, client.UnsafeDisableDeepCopy); err != nil {
		return false, err
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; podutils.IsReschedulable(p) && disruptionutils.EvictionCost(ctx, p) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// tainted reports whether a node has the taint, or a claim the condition, of disruption. The
// controller removes what a failed command has left.
func (d *disruptor) tainted() bool {
	for n := range d.cluster.Nodes() {
		if left(n) {
			return true
		}
	}
	return false
}

func left(n *state.StateNode) bool {
	if n.NodeClaim != nil && n.NodeClaim.StatusConditions().Get(v1.ConditionTypeDisruptionReason) != nil {
		return true
	}
	if n.Node == nil {
		return false
	}
	for i := range n.Node.Spec.Taints {
		if n.Node.Spec.Taints[i].MatchTaint(&v1.DisruptedNoScheduleTaint) {
			return true
		}
	}
	return false
}

// observed returns a method that adds the commands of m, the method of the given bit, to d.started.
func (d *disruptor) observed(m disruption.Method, bit selection) disruption.Method {
	o := observedMethod{m, bit, d}
	if totals, ok := m.(disruption.NodePoolTotalsSetter); ok {
		return struct {
			observedMethod
			disruption.NodePoolTotalsSetter
		}{o, totals}
	}
	return o
}

type observedMethod struct {
	disruption.Method
	bit       selection
	disruptor *disruptor
}

// ComputeCommands implements disruption.Method.
func (m observedMethod) ComputeCommands(ctx context.Context, budgets map[string]int, nodes ...*disruption.Candidate) ([]disruption.Command, error) {
	commands, err := m.Method.ComputeCommands(ctx, budgets, nodes...)
	found := len(m.disruptor.started)
	for _, c := range commands {
		if c.Decision() != disruption.NoOpDecision {
			c.Method = m.Method
			m.disruptor.started = append(m.disruptor.started, startedCommand{c, m.bit})
		}
	}
	if len(m.disruptor.started) == found {
		m.disruptor.looked[m.bit] = m.disruptor.clock.Now()
	}
	return commands, err
}
