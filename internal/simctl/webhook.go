package simctl

import (
	"bytes"
	"context"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/simctl/objects"
)

// ensureWebhook has API servers call the driver, before there is one: no simulated pod may get past it.
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
	webhook, err := ensure(ctx, s, objects.Webhook(s.sim, s.root, authority))
	switch {
	case err != nil:
		return err
	case !managed:
		return s.trust(ctx, s.sim.Name, authority)
	case len(webhook.Webhooks) == 0 || len(webhook.Webhooks[0].ClientConfig.CABundle) == 0:
		return s.missing(certificateGrace, reasonCertificate,
			"cert-manager has not written the authority of its certificate into %s. Look whether its cainjector runs.", describe(webhook))
	}
	return nil
}

// trust has the webhook of a simulation trust certificates of an authority.
func (s *session) trust(ctx context.Context, simulation string, authority []byte) error {
	webhook := &admissionv1.MutatingWebhookConfiguration{}
	if err := s.reader.Get(ctx, client.ObjectKey{Name: simkubev1.MutatingWebhookName(simulation)}, webhook); err != nil {
		return fmt.Errorf("read the webhook of %s: %w", simulation, err)
	}
	if !isMadeHere(webhook) {
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
