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

// ensureWebhook has API servers call the driver, before there is one: no simulated pod may get past it. What somebody has
// changed in it is changed back.
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
			return waitFor(recheck, "", "the certificate is gone again")
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
		return waitFor(recheck, "", "%s is going", describe(want))
	case repair(webhook, want):
		s.log.WarnContext(ctx, "the webhook was not as it should be, and is written anew", "object", describe(want))
		if err := s.client.Update(ctx, webhook); err != nil {
			return fmt.Errorf("write %s: %w", describe(want), err)
		}
	}
	if managed && (len(webhook.Webhooks) == 0 || len(webhook.Webhooks[0].ClientConfig.CABundle) == 0) {
		return s.missing(certificateGrace, reasonAuthority,
			"cert-manager has not written the authority of its certificate into %s. Look whether its cainjector runs.", describe(webhook))
	}
	return nil
}

// isWebhookOf recognises the webhook of a simulation by its labels (another of that name would be gone, and the webhook is
// this one's now), by the UID, or by the owner that it once had.
func isWebhookOf(sim *simkubev1.Simulation) func(client.Object) bool {
	return func(found client.Object) bool {
		uid := found.GetAnnotations()[objects.AnnotationUID]
		return isManaged(found) && found.GetLabels()[simkubev1.LabelSimulation] == simkubev1.LabelValue(sim.Name) ||
			uid != "" && uid == string(sim.UID) || isOwned(found, sim)
	}
}

// repair makes a webhook as it is wanted, and tells whether it was not. Labels and annotations that others have added stay,
// and so does the authority that cert-manager fills in, when none is wanted.
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

// with adds entries to a copy of a map.
func with(have, more map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, have)
	maps.Copy(all, more)
	return all
}

// trust has the webhook of a simulation trust certificates of an authority.
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
