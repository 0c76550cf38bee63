package controller

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// AnnotationMaxSimulations is the annotation of the lease that says how many simulations may run at
// once.
const AnnotationMaxSimulations = "simkube.io/max-simulations"

// leaseSeconds is the duration of the lease. Drivers renew it.
const leaseSeconds = 30

// getLease returns nil if there is no lease.
func (c *controller) getLease(ctx context.Context) (*coordinationv1.Lease, error) {
	lease := &coordinationv1.Lease{}
	err := c.reader.Get(ctx, client.ObjectKey{Namespace: c.opts.Namespace, Name: simkubev1.LeaseName}, lease)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read lease %s: %w", simkubev1.LeaseName, err)
	}
	return lease, nil
}

// maxSimulations returns how many simulations may run at once. An invalid annotation counts as the
// default: a typo must not stop all simulations.
func (c *controller) maxSimulations(ctx context.Context) (int, error) {
	lease, err := c.getLease(ctx)
	if err != nil || lease == nil {
		return DefaultMaxSimulations, err
	}
	text, set := lease.Annotations[AnnotationMaxSimulations]
	if !set {
		return DefaultMaxSimulations, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 {
		c.opts.Logger.WarnContext(ctx, "ignoring an invalid number of simulations: must be above 0", "annotation", AnnotationMaxSimulations,
			"lease", simkubev1.LeaseName, "value", text, "default", DefaultMaxSimulations)
		return DefaultMaxSimulations, nil
	}
	return limit, nil
}

func (s *session) takeLease(ctx context.Context) error { return s.holdLease(ctx, "") }

func (s *session) releaseLease(ctx context.Context) error { return s.holdLease(ctx, s.sim.UID) }

// holdLease makes the oldest running simulation, except the one with the UID done, the holder of
// the lease.
func (c *controller) holdLease(ctx context.Context, done types.UID) error {
	c.turns.Lock()
	defer c.turns.Unlock()
	var all simkubev1.SimulationList
	if err := c.reader.List(ctx, &all); err != nil {
		return fmt.Errorf("list simulations: %w", err)
	}
	holder := holderOf(all.Items, done)
	lease, err := c.getLease(ctx)
	switch {
	case err != nil:
		return err
	case lease == nil && holder == "":
		return nil
	case lease == nil:
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Namespace: c.opts.Namespace, Name: simkubev1.LeaseName,
			Labels: map[string]string{objects.LabelManagedBy: objects.ControllerName},
		}}
		c.stamp(lease, holder)
		if err := c.client.Create(ctx, lease); err != nil {
			return fmt.Errorf("create lease %s: %w", lease.Name, err)
		}
		return nil
	case lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity == holder:
		return nil
	case holder == "" && lease.Annotations[AnnotationMaxSimulations] == "":
		// The lease holds nothing that anybody has set.
		if err := c.client.Delete(ctx, lease, client.Preconditions{UID: &lease.UID, ResourceVersion: &lease.ResourceVersion}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete lease %s: %w", lease.Name, err)
		}
		return nil
	default:
		before := lease.DeepCopy()
		c.stamp(lease, holder)
		if err := c.client.Patch(ctx, lease, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return fmt.Errorf("write lease %s: %w", lease.Name, err)
		}
		return nil
	}
}

func (c *controller) stamp(lease *coordinationv1.Lease, holder string) {
	now := metav1.NewMicroTime(c.opts.Clock.Now())
	lease.Spec = coordinationv1.LeaseSpec{
		HolderIdentity: &holder, LeaseDurationSeconds: new(int32(leaseSeconds)), AcquireTime: &now, RenewTime: &now,
	}
}

// holderOf returns the name of the oldest running simulation, or "" if there is none.
func holderOf(sims []simkubev1.Simulation, done types.UID) string {
	var running []*simkubev1.Simulation
	for i := range sims {
		if s := &sims[i]; s.UID != done && !isWaiting(s) && !isEnded(s) {
			running = append(running, s)
		}
	}
	if len(running) == 0 {
		return ""
	}
	return slices.MinFunc(running, older).Name
}
