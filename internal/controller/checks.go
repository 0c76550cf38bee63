package controller

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// check looks for everything that a driver needs and the controller does not make, before it makes anything. Once there
// is a driver it has what it needs.
func (s *session) check(ctx context.Context) error {
	if has, err := s.hasJob(ctx); err != nil || has {
		return err
	}
	for _, check := range []func(context.Context) error{
		s.checkSpec, s.checkNamespace, s.checkAccount, s.checkSecrets, s.checkClaim, s.checkKinds,
	} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkSpec finds what the schema cannot tell.
func (s *session) checkSpec(context.Context) error {
	if _, err := objects.TracePath(s.sim.Spec.Driver.TracePath); err != nil {
		return fail(reasonInvalid, "%v", err)
	}
	if s.sim.Spec.Metrics != nil {
		if _, err := objects.Prometheus(s.sim, &simkubev1.SimulationRoot{}); err != nil {
			return fail(reasonInvalid, "%v: wanted is an object, as the Prometheus operator's remoteWrite has it", err)
		}
	}
	return nil
}

// checkNamespace makes the driver's namespace if there is none.
func (s *session) checkNamespace(ctx context.Context) error {
	name := s.sim.Spec.Driver.Namespace
	namespace := metadata(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := s.reader.Get(ctx, client.ObjectKey{Name: name}, namespace)
	switch {
	case apierrors.IsNotFound(err):
		err := s.client.Create(ctx, objects.Namespace(s.sim))
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
			return s.missing(missingGrace, reasonNamespace, "There is no namespace %s, and it cannot be made: %v. Make it, with the service account %s in it.",
				name, err, s.opts.DriverServiceAccount)
		}
		return err
	case err != nil:
		return fmt.Errorf("read namespace %s: %w", name, err)
	case namespace.DeletionTimestamp != nil:
		return s.missing(missingGrace, reasonNamespace, "The driver's namespace %s is being deleted. Wait until it is gone, or use another.", name)
	case namespace.Labels[simkubev1.LabelVirtual] != "":
		return fail(reasonInvalid, "The driver's namespace %s belongs to a simulation, and would go with it. Use another.", name)
	}
	return nil
}

func (s *session) checkAccount(ctx context.Context) error {
	return s.checkExists(ctx, "ServiceAccount", s.opts.DriverServiceAccount, reasonAccount,
		"the driver runs as it; install SimKube's manifests for this namespace, or use the namespace that they are installed in")
}

// checkSecrets tells of all that are missing at once: they are one thing that is waited for.
func (s *session) checkSecrets(ctx context.Context) error {
	var missing []string
	for _, name := range s.sim.Spec.Driver.Secrets {
		has, err := s.exists(ctx, "Secret", name)
		if err != nil {
			return err
		}
		if !has {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.missing(missingGrace, reasonSecret, "There is no Secret %s in namespace %s: spec.driver.secrets names it; make it, or correct the name.",
		strings.Join(missing, ", "), s.sim.Spec.Driver.Namespace)
}

func (s *session) checkClaim(ctx context.Context) error {
	if results := s.sim.Spec.Results; results != nil && results.PersistentVolumeClaim != "" {
		return s.checkExists(ctx, "PersistentVolumeClaim", results.PersistentVolumeClaim, reasonClaim,
			"spec.results names it; make it, or correct the name")
	}
	return nil
}

func (s *session) checkExists(ctx context.Context, kind, name, reason, todo string) error {
	has, err := s.exists(ctx, kind, name)
	if err != nil || has {
		return err
	}
	return s.missing(missingGrace, reason, "There is no %s %s in namespace %s: %s.", kind, name, s.sim.Spec.Driver.Namespace, todo)
}

// exists looks for an object in the driver's namespace. It reads none but its metadata: what is in a Secret is the driver's.
func (s *session) exists(ctx context.Context, kind, name string) (bool, error) {
	key := client.ObjectKey{Namespace: s.sim.Spec.Driver.Namespace, Name: name}
	err := s.reader.Get(ctx, key, metadata(corev1.SchemeGroupVersion.WithKind(kind)))
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s %s: %w", kind, key, err)
	}
	return true, nil
}

// checkKinds looks for the operators that the simulation asks for, and for no others.
func (s *session) checkKinds(context.Context) error {
	if s.sim.Spec.Driver.CertManagerIssuer != nil {
		if err := s.checkKind(objects.CertificateKind(), reasonCertificate,
			"spec.driver.certManagerIssuer asks for cert-manager, which is not installed: install it, or leave the issuer out, and the controller makes the certificate"); err != nil {
			return err
		}
	}
	if s.sim.Spec.Metrics != nil {
		return s.checkKind(objects.PrometheusKind(), reasonPrometheusMissing,
			"spec.metrics asks for the Prometheus operator, which is not installed: install it, or leave spec.metrics out")
	}
	return nil
}

func (s *session) checkKind(kind schema.GroupVersionKind, reason, todo string) error {
	_, err := s.client.RESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		return fail(reason, "The cluster has no kind %s: %s.", kind.GroupKind(), todo)
	}
	if err != nil {
		return fmt.Errorf("look for kind %s: %w", kind.GroupKind(), err)
	}
	return nil
}

func metadata(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}
