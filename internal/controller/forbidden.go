package controller

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"simkube.io/simkube/internal/controller/objects"
)

// explainForbidden has a simulation wait, and then fail, for a right that the controller lacks: it would keep its turn for ever. When
// it cleans up it waits as long as it must. Other errors stay as they are, and those of a simulation that has no turn or has
// nothing any more.
func (s *session) explainForbidden(plan string, err error) error {
	if !apierrors.IsForbidden(err) || isWaiting(s.sim) {
		return err
	}
	what := remedy(err, s.opts.Namespace, s.sim.Spec.Driver.Namespace)
	switch plan {
	case planSetUp:
		return s.missing(missingGrace, reasonForbidden, "The controller may not do what the simulation needs: %v. %s", err, what)
	case planEnd, planDelete:
		return waitFor(blockedRecheck, reasonForbidden, "The controller may not clean up: %v. %s Or remove by hand what is in the way.", err, what)
	default:
		return err
	}
}

// remedy says how the controller, which is in the namespace own, gets a right that it needs for a driver.
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
	case !strings.Contains(text, " cannot "): // the authorizer's word
		return "Have whoever refuses it allow it, or use another namespace."
	case group == objects.CertificateKind().Group:
		return "Add config/sim/components/cert-manager to SimKube's manifests, or leave spec.driver.certManagerIssuer out."
	case group == objects.PrometheusKind().Group:
		return "Add config/sim/components/metrics to SimKube's manifests, or leave spec.metrics out."
	case driver != own && strings.Contains(text, fmt.Sprintf("in the namespace %q", driver)):
		return fmt.Sprintf("Install config/sim/overlays/driver-namespace of SimKube's manifests for %s, or use the namespace %s.", driver, own)
	default:
		return "Install SimKube's manifests of this version, config/sim/overlays/cluster."
	}
}
