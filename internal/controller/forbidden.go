package controller

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"simkube.io/simkube/internal/controller/objects"
)

// explainForbidden handles an error about a missing permission. During set-up the simulation waits
// for it and then fails, because otherwise it would keep its turn for ever. During the clean-up it
// waits without a limit. Other errors are returned unchanged, and so are those of a simulation that
// waits for its turn or is released.
func (s *session) explainForbidden(plan string, err error) error {
	if !apierrors.IsForbidden(err) || isWaiting(s.sim) {
		return err
	}
	what := remedy(err, s.opts.Namespace, s.sim.Spec.Driver.Namespace)
	switch plan {
	case planSetUp:
		return s.missing(missingGrace, reasonForbidden, "The controller lacks a permission that the simulation needs: %v. %s", err, what)
	case planEnd, planDelete:
		return waitFor(blockedRecheck, reasonForbidden, "The controller lacks a permission that the clean-up needs: %v. %s Or delete the object by hand.", err, what)
	default:
		return err
	}
}

// remedy returns advice on how to grant the permission that an error is about. The controller runs
// in namespace own, the driver in namespace driver.
func remedy(err error, own, driver string) string {
	var status apierrors.APIStatus
	group := ""
	if errors.As(err, &status) && status.Status().Details != nil {
		group = status.Status().Details.Group
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "exceeded quota"):
		return "Raise the quota, or use another namespace."
	case !strings.Contains(text, " cannot "): // the wording of Kubernetes' authorizer
		return "Change the policy that denies it, or use another namespace."
	case group == objects.CertificateKind().Group:
		return "Add config/sim/components/cert-manager to SimKube's manifests, or leave spec.driver.certManagerIssuer out."
	case group == objects.PrometheusKind().Group:
		return "Add config/sim/components/metrics to SimKube's manifests, or leave spec.metrics out."
	case driver != own && strings.Contains(text, fmt.Sprintf("in the namespace %q", driver)):
		return fmt.Sprintf("Install config/sim/overlays/driver-namespace of SimKube's manifests for %s, or use the namespace %s.", driver, own)
	default:
		return "Install the manifests of this version of SimKube, config/sim/overlays/cluster."
	}
}
