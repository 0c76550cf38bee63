package controller

import (
	"context"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/certificate"
	"simkube.io/simkube/internal/controller/objects"
)

// maxTrusted is how many old authorities stay trusted when the Secret is gone. The first is that of
// the certificate that running drivers use. Others may precede it: authorities that were
// distributed but never stored, because the controller was interrupted.
const maxTrusted = 3

// ensureCertificate makes sure that there is a certificate for the driver's webhook. The drivers of
// a namespace share it.
func (s *session) ensureCertificate(ctx context.Context) error {
	s.certificates.Lock()
	defer s.certificates.Unlock()
	if s.sim.Spec.Driver.CertManagerIssuer != nil {
		return s.orderCertificate(ctx)
	}
	names := objects.ServerNames(s.sim)
	secret, err := s.certificateSecret(ctx)
	if err != nil {
		return err
	}
	now := s.opts.Clock.Now()
	if secret == nil {
		// The Secret may have been deleted. Running drivers keep serving the certificate that they have
		// read, so it must stay trusted.
		trusted, err := s.trustedAuthorities(ctx)
		if err != nil {
			return err
		}
		bundle, err := certificate.New(now, names, trusted, maxTrusted)
		if err != nil {
			return err
		}
		if err := s.distributeAuthority(ctx, bundle.CA); err != nil {
			return err
		}
		return s.create(ctx, objects.CertificateSecret(s.sim, s.root, bundle.Cert, bundle.Key, bundle.CA))
	}
	switch {
	case !isManaged(secret):
		return fail(reasonCertificate, "%s already exists, and is not managed by sk-ctrl. Delete it, or use another namespace for the driver.", describe(secret))
	case secret.DeletionTimestamp != nil:
		return waitFor(recheck, "", "%s is being deleted", describe(secret))
	}
	before := secret.DeepCopy()
	if reason := certificate.Check(bundleOf(secret), now, names); reason != nil {
		bundle, err := certificate.New(now, names, secret.Data[objects.CAKey], 1)
		if err != nil {
			return err
		}
		s.log.InfoContext(ctx, "the webhook's certificate is being replaced", "secret", describe(secret), "reason", reason)
		// Clients must trust the new certificate before a driver uses it.
		if err := s.distributeAuthority(ctx, bundle.CA); err != nil {
			return err
		}
		secret.Data = objects.CertificateSecret(s.sim, s.root, bundle.Cert, bundle.Key, bundle.CA).Data
	}
	if adopt(secret, s.root); !apiequality.Semantic.DeepEqual(before, secret) {
		if err := s.client.Update(ctx, secret); err != nil {
			return fmt.Errorf("write %s: %w", describe(secret), err)
		}
	}
	return nil
}

// certificateSecret returns the certificate's Secret, or nil if it does not exist.
func (s *session) certificateSecret(ctx context.Context) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: s.sim.Spec.Driver.Namespace, Name: simkubev1.DriverCertSecret}, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", simkubev1.DriverCertSecret, err)
	}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret, nil
}

// distributeAuthority adds the new authority to the webhooks of all drivers that share the
// certificate.
func (s *session) distributeAuthority(ctx context.Context, authority []byte) error {
	names, err := s.sharers(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.trust(ctx, name, authority); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

// trustedAuthorities returns the CA bundles of the webhooks of all drivers that share the
// certificate.
func (s *session) trustedAuthorities(ctx context.Context) ([]byte, error) {
	names, err := s.sharers(ctx)
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, name := range names {
		webhook := &admissionv1.MutatingWebhookConfiguration{}
		err := s.reader.Get(ctx, client.ObjectKey{Name: simkubev1.MutatingWebhookName(name)}, webhook)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the webhook of %s: %w", name, err)
		}
		for i := range webhook.Webhooks {
			all = append(append(all, webhook.Webhooks[i].ClientConfig.CABundle...), '\n')
		}
	}
	return all, nil
}

func (s *session) sharers(ctx context.Context) ([]string, error) {
	var all simkubev1.SimulationList
	if err := s.reader.List(ctx, &all); err != nil {
		return nil, fmt.Errorf("list simulations: %w", err)
	}
	return sharing(all.Items, s.sim.Spec.Driver.Namespace), nil
}

// sharing returns the names of the simulations whose drivers use, or are about to use, the
// controller's certificate in a namespace.
func sharing(sims []simkubev1.Simulation, namespace string) []string {
	var names []string
	for i := range sims {
		if sim := &sims[i]; sim.Spec.Driver.Namespace == namespace && sim.Spec.Driver.CertManagerIssuer == nil && !isWaiting(sim) && !isEnded(sim) {
			names = append(names, sim.Name)
		}
	}
	return names
}

func isManaged(object client.Object) bool {
	return object.GetLabels()[objects.LabelManagedBy] == objects.ControllerName
}

func bundleOf(secret *corev1.Secret) certificate.Bundle {
	return certificate.Bundle{Cert: secret.Data[corev1.TLSCertKey], Key: secret.Data[corev1.TLSPrivateKeyKey], CA: secret.Data[objects.CAKey]}
}

// adopt adds the metaroot to the owners of an object that simulations share, and removes an earlier
// root of the same name.
func adopt(object client.Object, root *simkubev1.SimulationRoot) {
	owners := slices.DeleteFunc(slices.Clone(object.GetOwnerReferences()), func(ref metav1.OwnerReference) bool {
		return isRoot(ref, root.Name) && ref.UID != root.UID
	})
	if !hasOwner(object, root.UID) {
		owners = append(owners, objects.Owner(root))
	}
	object.SetOwnerReferences(owners)
}
