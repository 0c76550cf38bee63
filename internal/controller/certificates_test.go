package controller

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

func TestAdopt(t *testing.T) {
	root := func(name string, uid types.UID) *simkubev1.SimulationRoot {
		return &simkubev1.SimulationRoot{ObjectMeta: metav1.ObjectMeta{Name: name, UID: uid}}
	}
	ours, earlier, other := objects.Owner(root("ours", "2")), objects.Owner(root("ours", "1")), objects.Owner(root("other", "3"))
	for name, tc := range map[string]struct{ owners, want []metav1.OwnerReference }{
		"none":               {nil, []metav1.OwnerReference{ours}},
		"another's":          {[]metav1.OwnerReference{other}, []metav1.OwnerReference{other, ours}},
		"an earlier root's":  {[]metav1.OwnerReference{earlier}, []metav1.OwnerReference{ours}},
		"all of them":        {[]metav1.OwnerReference{earlier, other, ours}, []metav1.OwnerReference{other, ours}},
		"ours, in its place": {[]metav1.OwnerReference{ours, other}, []metav1.OwnerReference{ours, other}},
	} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{OwnerReferences: tc.owners}}
		if adopt(secret, root("ours", "2")); !slices.Equal(secret.OwnerReferences, tc.want) {
			t.Errorf("%s: got %v, want %v", name, secret.OwnerReferences, tc.want)
		}
	}
}

func TestSharing(t *testing.T) {
	in := func(name, namespace string, state simkubev1.SimulationState) simkubev1.Simulation {
		sim := aged(name, 0, "", state)
		sim.Spec.Driver.Namespace = namespace
		return sim
	}
	managed := in("managed", "here", "Running")
	managed.Spec.Driver.CertManagerIssuer = new("issuer")
	got := sharing([]simkubev1.Simulation{
		in("runs", "here", "Running"), in("begins", "here", "Initializing"), in("new", "here", ""), in("waits", "here", "Blocked"),
		in("finished", "here", "Finished"), in("failed", "here", "Failed"), in("elsewhere", "there", "Running"), managed,
	}, "here")
	if want := []string{"runs", "begins"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
