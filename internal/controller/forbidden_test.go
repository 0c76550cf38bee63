package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"

	simkubev1 "simkube.io/simkube/api/v1"
)

func denied(group, resource, why string) error {
	err := apierrors.NewForbidden(schema.GroupResource{Group: group, Resource: resource}, "x", errors.New(why))
	return &stepError{"service", fmt.Errorf("create it: %w", err)}
}

func TestRemedy(t *testing.T) {
	const cannot = `User "system:serviceaccount:simkube:sk-ctrl" cannot create resource`
	for name, tc := range map[string]struct {
		err    error
		driver string
		want   string
	}{
		"another namespace":   {denied("", "services", cannot+` "services" in API group "" in the namespace "load"`), "load", "overlays/driver-namespace of SimKube's manifests for load"},
		"its own":             {denied("", "services", cannot+` "services" in API group "" in the namespace "simkube"`), "simkube", "overlays/cluster"},
		"of the cluster":      {denied("admissionregistration.k8s.io", "mutatingwebhookconfigurations", cannot+" at the cluster scope"), "load", "overlays/cluster"},
		"cert-manager":        {denied("cert-manager.io", "certificates", cannot+` in the namespace "load"`), "load", "components/cert-manager"},
		"Prometheus":          {denied("monitoring.coreos.com", "prometheuses", cannot+` in the namespace "monitoring"`), "load", "components/metrics"},
		"quota":               {denied("", "services", "exceeded quota: small"), "load", "Raise the quota"},
		"an admission policy": {denied("batch", "jobs", "only images of our registry"), "load", "Change the policy"},
	} {
		if got := remedy(tc.err, "simkube", tc.driver); !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %q, want a part %q", name, got, tc.want)
		}
	}
}

// A missing permission fails the simulation after a while, so that it releases its turn.
func TestSession_ExplainForbidden(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(at(0))
	s := &session{controller: &controller{opts: Options{Clock: clock, Namespace: "simkube"}}, sim: simulationIn(simkubev1.SimulationInitializing)}
	err := s.explainForbidden(planSetUp, denied("", "services", "cannot"))
	var wait *waiting
	if !errors.As(err, &wait) || wait.reason != reasonForbidden || !strings.Contains(wait.message, "step service: create it: ") {
		t.Fatalf("got %v, want to wait", err)
	}
	setCondition(s.sim.Status, metav1.Condition{Type: simkubev1.ConditionReady, Status: metav1.ConditionFalse, Reason: wait.reason}, clock.Now())
	clock.SetTime(at(60))
	var failed *failure
	if err := s.explainForbidden(planSetUp, denied("", "services", "cannot")); !errors.As(err, &failed) || failed.reason != reasonForbidden {
		t.Errorf("got %v, want a failure", err)
	}
	for _, other := range []error{nil, errors.New("x"), context.Canceled, &waiting{}, &failure{}} {
		if got := s.explainForbidden(planSetUp, other); got != other { //nolint:errorlint // the very same
			t.Errorf("%v has become %v", other, got)
		}
	}
	for _, plan := range []string{planEnd, planDelete} {
		if err := s.explainForbidden(plan, denied("batch", "jobs", "cannot")); !errors.As(err, &wait) || wait.reason != reasonForbidden || wait.after < time.Second {
			t.Errorf("%s: got %v, want to wait", plan, err)
		}
	}
	if err := s.explainForbidden(planRelease, denied("", "leases", "cannot")); errors.As(err, &failed) || errors.As(err, &wait) {
		t.Errorf("with nothing left: got %v", err)
	}
	s.sim = simulationIn(simkubev1.SimulationBlocked)
	if err := s.explainForbidden(planSetUp, denied("", "simulations", "cannot")); errors.As(err, &failed) || errors.As(err, &wait) {
		t.Errorf("without a turn: got %v", err)
	}
}
