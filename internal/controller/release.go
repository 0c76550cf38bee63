package controller

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// releaseCertificate removes the simulation from the owners of the certificate. The last owner
// deletes it.
func (s *session) releaseCertificate(ctx context.Context) error {
	s.certificates.Lock()
	defer s.certificates.Unlock()
	if s.sim.Spec.Driver.CertManagerIssuer != nil {
		gone, err := s.removeOwner(ctx, empty(objects.Certificate(s.sim, objects.Metaroot(s.sim))))
		if err != nil || !gone {
			return err
		}
		// cert-manager keeps the Secret of a deleted Certificate.
		secret, err := s.certificateSecret(ctx)
		if isGone(err) {
			return nil
		}
		if err != nil || secret == nil || secret.Annotations[certNameAnnotation] != simkubev1.DriverCertSecret {
			return err
		}
		return s.delete(ctx, secret)
	}
	_, err := s.removeOwner(ctx, &corev1.Secret{})
	return err
}

// removeOwner removes the metaroot from the owners of an object, and deletes the object if it was
// the last one. gone reports whether the object no longer exists.
func (s *session) removeOwner(ctx context.Context, object client.Object) (gone bool, err error) {
	key := client.ObjectKey{Namespace: s.sim.Spec.Driver.Namespace, Name: simkubev1.DriverCertSecret}
	err = s.reader.Get(ctx, key, object)
	switch {
	case isGone(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("read %s %s: %w", object.GetObjectKind().GroupVersionKind().Kind, key, err)
	case !isManaged(object):
		return false, nil
	}
	owners := slices.Clone(object.GetOwnerReferences())
	owners = slices.DeleteFunc(owners, func(ref metav1.OwnerReference) bool { return isRoot(ref, simkubev1.MetarootName(s.sim.Name)) })
	if len(owners) == 0 {
		return true, s.delete(ctx, object)
	}
	if len(owners) == len(object.GetOwnerReferences()) {
		return false, nil
	}
	object.SetOwnerReferences(owners)
	if err := s.client.Update(ctx, object); err != nil && !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("write %s: %w", describe(object), err)
	}
	return false, nil
}
