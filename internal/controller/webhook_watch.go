package controller

import (
	"context"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"

	simkubev1 "simkube.io/simkube/api/v1"
)

// watchWebhooks queues simulations whose webhook is changed or deleted: a simulated pod that
// bypasses it may run on a real node. The controller does not wait for this watch to sync, because
// it may lack the permission; webhooks are also checked at intervals.
func watchWebhooks(from cache.Cache) source.Source {
	return source.Func(func(ctx context.Context, q queue) error {
		informer, err := from.GetInformer(ctx, metadata(admissionv1.SchemeGroupVersion.WithKind("MutatingWebhookConfiguration")), cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watch webhooks: %w", err)
		}
		wake := func(found any) {
			if last, is := found.(toolscache.DeletedFinalStateUnknown); is {
				found = last.Obj
			}
			if object, is := found.(client.Object); is {
				for _, request := range simulationOf(ctx, object) {
					q.Add(request)
				}
			}
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc: wake, DeleteFunc: wake,
			UpdateFunc: func(before, after any) {
				wake(before) // the labels may have been changed
				wake(after)
			},
		})
		return err
	})
}

// deleteOrphanedWebhook deletes the webhook of a simulation that was deleted without this
// controller, once it has no simulated namespace left. The webhook has no owner, so it is not
// garbage collected.
func (c *controller) deleteOrphanedWebhook(ctx context.Context, simulation string) error {
	gone := &simkubev1.Simulation{ObjectMeta: metav1.ObjectMeta{Name: simulation}}
	webhook := metadata(admissionv1.SchemeGroupVersion.WithKind("MutatingWebhookConfiguration"))
	err := c.reader.Get(ctx, client.ObjectKey{Name: simkubev1.MutatingWebhookName(simulation)}, webhook)
	if isGone(err) || err == nil && !isWebhookOf(gone)(webhook) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the webhook of %s: %w", simulation, err)
	}
	var namespaces metav1.PartialObjectMetadataList
	namespaces.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	err = c.reader.List(ctx, &namespaces, client.Limit(1), client.MatchingLabels(simkubev1.SimulatedLabels(simulation)))
	if apierrors.IsForbidden(err) {
		return nil // an orphaned webhook does no harm
	}
	if err != nil {
		return fmt.Errorf("list simulated namespaces: %w", err)
	}
	if len(namespaces.Items) > 0 {
		return errNamespacesLeft
	}
	uid := webhook.UID
	if err := c.client.Delete(ctx, webhook, client.Preconditions{UID: &uid}); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete the webhook of %s: %w", simulation, err)
	}
	return nil
}

// errNamespacesLeft is returned if simulated namespaces still need a webhook.
var errNamespacesLeft = errors.New("simulated namespaces are left")
