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

// watchWebhooks has simulations looked at whose webhook is changed or deleted: a simulated pod that gets past it may run on a
// real node. Nobody waits until the watch works: without the right to it webhooks are looked at once in a while.
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
				wake(before) // its labels may be what was changed
				wake(after)
			},
		})
		return err
	})
}

// deleteOrphanedWebhook removes the webhook of a simulation that is gone without this controller, once no simulated namespace is
// left. Nobody else would: it has no owner.
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
		return nil // then it stays: a webhook too many does no harm
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

// errNamespacesLeft is returned while something simulated is left that a webhook is needed for.
var errNamespacesLeft = errors.New("simulated namespaces are left")
