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

// check makes sure that everything exists that a driver needs and the controller does not create,
// before anything is created. It is skipped once the driver's job exists.
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

// checkSpec validates what the schema of the resource cannot.
func (s *session) checkSpec(context.Context) error {
	if _, err := objects.TracePath(s.sim.Spec.Driver.TracePath); err != nil {
		return fail(reasonInvalid, "%v", err)
	}
	if s.sim.Spec.Metrics != nil {
		if _, err := objects.Prometheus(s.sim, &simkubev1.SimulationRoot{}); err != nil {
			return fail(reasonInvalid, "%v: must be an object like an entry of the Prometheus operator's remoteWrite", err)
		}
	}
	return nil
}

// checkNamespace creates the driver's namespace if it does not exist.
func (s *session) checkNamespace(ctx context.Context) error {
	name := s.sim.Spec.Driver.Namespace
	namespace := metadata(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := s.reader.Get(ctx, client.ObjectKey{Name: name}, namespace)
	switch {
	case apierrors.IsNotFound(err):
		err := s.client.Create(ctx, objects.Namespace(s.sim))
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
			return s.missing(missingGrace, reasonNamespace, "Namespace %s does not exist, and cannot be created: %v. Create it, with the service account %s in it.",
				name, err, s.opts.DriverServiceAccount)
		}
		return err
	case err != nil:
		return fmt.Errorf("read namespace %s: %w", name, err)
	case namespace.DeletionTimestamp != nil:
		return s.missing(missingGrace, reasonNamespace, "The driver's namespace %s is being deleted. Wait until it is gone, or use another one.", name)
	case namespace.Labels[simkubev1.LabelVirtual] != "":
		return fail(reasonInvalid, "The driver's namespace %s belongs to a simulation, and would be deleted with it. Use another one.", name)
	}
	return nil
}

func (s *session) checkAccount(ctx context.Context) error {
	return s.checkExists(ctx, "ServiceAccount", s.opts.DriverServiceAccount, reasonAccount,
		"the driver runs as it; install SimKube's manifests for this namespace, or use the namespace that they are installed in")
}

// checkSecrets reports all missing Secrets at once, so that they share one grace period.
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
	return s.missing(missingGrace, reasonSecret, "Secret %s does not exist in namespace %s: spec.driver.secrets names it; create it, or correct the name.",
		strings.Join(missing, ", "), s.sim.Spec.Driver.Namespace)
}

func (s *session) checkClaim(ctx context.Context) error {
	if results := s.sim.Spec.Results; results != nil && results.PersistentVolumeClaim != "" {
		return s.checkExists(ctx, "PersistentVolumeClaim", results.PersistentVolumeClaim, reasonClaim,
			"spec.results names it; create it, or correct the name")
	}
	return nil
}

func (s *session) checkExists(ctx context.Context, kind, name, reason, todo string) error {
	has, err := s.exists(ctx, kind, name)
	if err != nil || has {
		return err
	}
	return s.missing(missingGrace, reason, "%s %s does not exist in namespace %s: %s.", kind, name, s.sim.Spec.Driver.Namespace, todo)
}

// exists reports whether an object exists in the driver's namespace. It reads only metadata, so the
// controller does not see what a Secret holds.
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

// checkKinds makes sure that the operators are installed that the simulation needs.
func (s *session) checkKinds(context.Context) error {
	if s.sim.Spec.Driver.CertManagerIssuer != nil {
		if err := s.checkKind(objects.CertificateKind(), reasonCertificate,
			"spec.driver.certManagerIssuer asks for cert-manager, which is not installed: install it, or leave the issuer out to use a certificate of the controller"); err != nil {
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
