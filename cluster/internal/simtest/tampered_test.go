package simtest

import (
	"context"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
)

// If the webhook's configuration is changed or deleted meanwhile, it is repaired, and the
// simulation completes.
func TestWebhookTampered(t *testing.T) {
	concurrently(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) { sim.Spec.Speed = new(20.0) })
	start(t, sim)
	await(t, sim, "replaying", replays(1))
	key := client.ObjectKey{Name: simkubev1.MutatingWebhookName(sim.Name)}
	good := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := env.client.Get(t.Context(), key, good); err != nil {
		t.Fatal(err)
	}
	asGood := func(ctx context.Context) (bool, error) {
		now := &admissionregistrationv1.MutatingWebhookConfiguration{}
		err := env.client.Get(ctx, key, now)
		if client.IgnoreNotFound(err) != nil {
			return false, err
		}
		return err == nil && len(now.Webhooks) == 1 && *now.Webhooks[0].FailurePolicy == admissionregistrationv1.Fail &&
			len(now.Webhooks[0].ClientConfig.CABundle) > 0, nil
	}
	for what, tamper := range map[string]func() error{
		"let pods through": func() error {
			patch := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]`))
			return env.client.Patch(t.Context(), good.DeepCopy(), patch)
		},
		"forgotten whom it trusts": func() error {
			patch := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]`))
			return env.client.Patch(t.Context(), good.DeepCopy(), patch)
		},
		"deleted": func() error { return env.client.Delete(t.Context(), good.DeepCopy()) },
	} {
		if err := tamper(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := wait.PollUntilContextTimeout(t.Context(), pollPeriod, waitTime, true, asGood); err != nil {
			t.Errorf("%s: wait until it is put right: %v", what, err)
		}
	}
	await(t, sim, "Finished", isState(simkubev1.SimulationFinished))
	noneOnRealNodes(t, sim)
}

// With foreground deletion, dependents go first. At no time may a simulated pod be on a real node.
func TestDeleted_Foreground(t *testing.T) {
	concurrently(t)
	sim := simulation(t)
	start(t, sim)
	await(t, sim, "replaying", replays(2))
	if err := env.client.Delete(t.Context(), sim.DeepCopy(), client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		t.Fatal(err)
	}
	err := wait.PollUntilContextTimeout(t.Context(), pollPeriod, waitTime, true, func(ctx context.Context) (bool, error) {
		noneOnRealNodes(t, sim)
		err := env.client.Get(ctx, clientKey(sim), &simkubev1.Simulation{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		t.Errorf("wait until the simulation is gone: %v", err)
	}
}
