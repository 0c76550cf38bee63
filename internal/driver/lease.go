package driver

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
)

// leaseInterval is a third of the duration of the lease.
const leaseInterval = 10 * time.Second

// renewLease renews the lease by which simulations take turns while this simulation holds it, until
// ctx ends. It shows users and other programs that the driver is alive; the controller decides
// which simulation is next.
func renewLease(ctx context.Context, client kubernetes.Interface, namespace, holder string, clk clock.WithTicker, log *slog.Logger) {
	ticker := clk.NewTicker(leaseInterval)
	defer ticker.Stop()
	for {
		if err := renew(ctx, client, namespace, holder, clk.Now()); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "the lease was not renewed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

func renew(ctx context.Context, client kubernetes.Interface, namespace, holder string, now time.Time) error {
	leases := client.CoordinationV1().Leases(namespace)
	lease, err := leases.Get(ctx, simkubev1.LeaseName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get lease: %w", err)
	}
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != holder {
		return nil
	}
	patch := fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"spec":{"renewTime":%q}}`,
		lease.ResourceVersion, now.UTC().Format(metav1.RFC3339Micro))
	if _, err := leases.Patch(ctx, simkubev1.LeaseName, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: fieldManager}); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return nil
}
