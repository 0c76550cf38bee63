package controller

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// ensureWebhook creates the driver's webhook before the driver, so that no simulated pod bypasses
// it. Changes made by others are reverted.
func (s *session) ensureWebhook(ctx context.Context) error {
	s.certificates.Lock()
	defer s.certificates.Unlock()
	var authority []byte
	managed := s.sim.Spec.Driver.CertManagerIssuer != nil
	if !managed {
		secret, err := s.certificateSecret(ctx)
		if err != nil {
			return err
		}
		if secret == nil {
			return waitFor(recheck, "", "the certificate was deleted")
		}
		authority = secret.Data[objects.CAKey]
	}
	want := objects.Webhook(s.sim, authority)
	webhook := empty(want)
	err := s.reader.Get(ctx, client.ObjectKeyFromObject(want), webhook)
	switch {
	case apierrors.IsNotFound(err):
		if err := s.create(ctx, want); err != nil {
			return err
		}
		webhook = want
	case err != nil:
		return fmt.Errorf("read %s: %w", describe(want), err)
	case !isWebhookOf(s.sim)(webhook):
		return s.nameTaken(want)
	case webhook.DeletionTimestamp != nil:
		return waitFor(recheck, "", "%s is being deleted", describe(want))
	case repair(webhook, want):
		s.log.WarnContext(ctx, "repairing the webhook, which was changed", "object", describe(want))
		if err := s.client.Update(ctx, webhook); err != nil {
			return fmt.Errorf("write %s: %w", describe(want), err)
		}
	}
	if managed && (len(webhook.Webhooks) == 0 || len(webhook.Webhooks[0].ClientConfig.CABundle) == 0) {
		return s.missing(certificateGrace, reasonAuthority,
			"cert-manager has not written the authority of its certificate into %s. Check whether its cainjector is running.", describe(webhook))
	}
	return nil
}

// isWebhookOf returns a function that reports whether a webhook belongs to the simulation: by its
// labels, by the simulation's UID, or by an owner reference, which earlier releases set.
func isWebhookOf(sim *simkubev1.Simulation) func(client.Object) bool {
	return func(found client.Object) bool {
		uid := found.GetAnnotations()[objects.AnnotationUID]
		return isManaged(found) && found.GetLabels()[simkubev1.LabelSimulation] == simkubev1.LabelValue(sim.Name) ||
			uid != "" && uid == string(sim.UID) || isOwned(found, sim)
	}
}

// repair changes a webhook to what it should be, and reports whether it was different. Additional
// labels and annotations stay. So does the CA bundle, which cert-manager fills in, if want has
// none.
func repair(webhook, want *admissionv1.MutatingWebhookConfiguration) bool {
	before := webhook.DeepCopy()
	wanted := want.DeepCopy().Webhooks
	for i := range wanted {
		at := slices.IndexFunc(before.Webhooks, func(w admissionv1.MutatingWebhook) bool { return w.Name == wanted[i].Name })
		if at >= 0 && len(wanted[i].ClientConfig.CABundle) == 0 {
			wanted[i].ClientConfig.CABundle = before.Webhooks[at].ClientConfig.CABundle
		}
	}
	webhook.Webhooks, webhook.OwnerReferences = wanted, nil
	webhook.Labels, webhook.Annotations = with(webhook.Labels, want.Labels), with(webhook.Annotations, want.Annotations)
	return !apiequality.Semantic.DeepEqual(before, webhook)
}

// with returns a copy of a map with more entries.
func with(have, more map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, have)
	maps.Copy(all, more)
	return all
}

// trust sets the CA bundle of a simulation's webhook.
func (s *session) trust(ctx context.Context, simulation string, authority []byte) error {
	webhook := &admissionv1.MutatingWebhookConfiguration{}
	if err := s.reader.Get(ctx, client.ObjectKey{Name: simkubev1.MutatingWebhookName(simulation)}, webhook); err != nil {
		return fmt.Errorf("read the webhook of %s: %w", simulation, err)
	}
	if !isManaged(webhook) {
		return nil
	}
	changed := false
	for i := range webhook.Webhooks {
		config := &webhook.Webhooks[i].ClientConfig
		if !bytes.Equal(config.CABundle, authority) {
			config.CABundle, changed = authority, true
		}
	}
	if !changed {
		return nil
	}
	if err := s.client.Update(ctx, webhook); err != nil {
		return fmt.Errorf("write the webhook of %s: %w", simulation, err)
	}
	return nil
}
