package simctl

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/simctl/certificate"
	"simkube.io/simkube/internal/simctl/objects"
)

// ensureCertificate sees that the driver has something to serve its webhook with. Drivers of one namespace share it.
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
		bundle, err := certificate.Make(now, names, nil)
		if err != nil {
			return err
		}
		return s.create(ctx, objects.CertificateSecret(s.sim, s.root, bundle.Cert, bundle.Key, bundle.CA))
	}
	switch {
	case !isMadeHere(secret):
		return fail(reasonCertificate, "%s exists already, and is not the controller's. Delete it, or use another namespace for the driver.", describe(secret))
	case secret.DeletionTimestamp != nil:
		return waitFor(recheck, "", "%s is going", describe(secret))
	}
	before := secret.DeepCopy()
	if why := certificate.Good(bundleOf(secret), now, names); why != nil {
		bundle, err := certificate.Make(now, names, secret.Data[objects.CAKey])
		if err != nil {
			return err
		}
		s.log.InfoContext(ctx, "the webhook's certificate is replaced", "secret", describe(secret), "why", why)
		// Whoever calls a driver must trust the new certificate before a driver can have it.
		if err := s.spreadAuthority(ctx, bundle.CA); err != nil {
			return err
		}
		secret.Data = objects.CertificateSecret(s.sim, s.root, bundle.Cert, bundle.Key, bundle.CA).Data
	}
	if adopt(secret, s.root); !bytes.Equal(before.Data[corev1.TLSCertKey], secret.Data[corev1.TLSCertKey]) ||
		len(before.OwnerReferences) != len(secret.OwnerReferences) {
		if err := s.client.Update(ctx, secret); err != nil {
			return fmt.Errorf("write %s: %w", describe(secret), err)
		}
	}
	return nil
}

// certificateSecret returns nil if there is none.
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

// spreadAuthority has the webhooks of all drivers that share the certificate trust the new one.
func (s *session) spreadAuthority(ctx context.Context, authority []byte) error {
	var all simkubev1.SimulationList
	if err := s.reader.List(ctx, &all); err != nil {
		return fmt.Errorf("list simulations: %w", err)
	}
	for i := range all.Items {
		other := &all.Items[i]
		if other.Spec.Driver.Namespace != s.sim.Spec.Driver.Namespace || other.Spec.Driver.CertManagerIssuer != nil || isWaiting(other) || isEnded(other) {
			continue
		}
		if err := s.trust(ctx, other.Name, authority); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

func isMadeHere(object client.Object) bool {
	return object.GetLabels()[objects.LabelManagedBy] == objects.ControllerName
}

func bundleOf(secret *corev1.Secret) certificate.Bundle {
	return certificate.Bundle{Cert: secret.Data[corev1.TLSCertKey], Key: secret.Data[corev1.TLSPrivateKeyKey], CA: secret.Data[objects.CAKey]}
}

// adopt adds the metaroot to the owners of what simulations share, in place of an earlier root of its name.
func adopt(object client.Object, root *simkubev1.SimulationRoot) {
	owners := slices.DeleteFunc(slices.Clone(object.GetOwnerReferences()), func(ref metav1.OwnerReference) bool {
		return isRoot(ref, root.Name)
	})
	object.SetOwnerReferences(append(owners, objects.Owner(root)))
}
