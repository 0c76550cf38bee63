package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"simkube.io/simkube/internal/controller/objects"
)

// certNameAnnotation is set by cert-manager on the Secrets that it creates.
const certNameAnnotation = "cert-manager.io/certificate-name"

// orderCertificate requests a certificate from cert-manager and waits until it is issued.
func (s *session) orderCertificate(ctx context.Context) error {
	want := objects.Certificate(s.sim, s.root)
	order := empty(want)
	err := s.reader.Get(ctx, client.ObjectKeyFromObject(want), order)
	secret, secretErr := s.certificateSecret(ctx)
	if secretErr != nil {
		return secretErr
	}
	switch {
	case apierrors.IsNotFound(err):
		if secret != nil && secret.Annotations[certNameAnnotation] == "" {
			return fail(reasonCertificate, "%s already exists, and is not managed by cert-manager. Delete it, or use another namespace for the driver.", describe(secret))
		}
		if err := s.create(ctx, want); err != nil {
			return err
		}
		order = want
	case err != nil:
		return fmt.Errorf("read %s: %w", describe(want), err)
	case !isManaged(order):
		return fail(reasonCertificate, "%s already exists, and is not managed by sk-ctrl. Delete it, or use another namespace for the driver.", describe(want))
	case order.GetDeletionTimestamp() != nil:
		return waitFor(recheck, "", "%s is being deleted", describe(want))
	case !hasOwner(order, s.root.UID):
		adopt(order, s.root)
		if err := s.client.Update(ctx, order); err != nil {
			return fmt.Errorf("write %s: %w", describe(want), err)
		}
	}
	if secret == nil || len(secret.Data[corev1.TLSCertKey]) == 0 || len(secret.Data[corev1.TLSPrivateKeyKey]) == 0 {
		return s.missing(certificateGrace, reasonCertificate, "cert-manager has not issued %s yet%s. Check the Certificate, its CertificateRequest and the ClusterIssuer %s.",
			describe(want), notReadyBecause(order), *s.sim.Spec.Driver.CertManagerIssuer)
	}
	return nil
}

// notReadyBecause returns the message of a Certificate's Ready condition if it is not ready.
func notReadyBecause(order *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(order.Object, "status", "conditions")
	for _, condition := range conditions {
		fields, _ := condition.(map[string]any)
		if fields["type"] == "Ready" && fields["status"] != "True" && fields["message"] != nil {
			return fmt.Sprintf(" (%v)", fields["message"])
		}
	}
	return ""
}
