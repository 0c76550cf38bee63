package tracer

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/tracer/rbac"
	"simkube.io/simkube/trace"
)

// TestPlan_Role checks that the role generated for a configuration allows listing and watching
// exactly the kinds that are followed.
func TestPlan_Role(t *testing.T) {
	possible := []schema.GroupVersionKind{
		podKind, nodeKind,
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Kind: "ReplicaSet"},
		{Group: "apps", Version: "v1", Kind: "StatefulSet"},
		{Group: "batch", Version: "v1", Kind: "CronJob"},
		{Group: "batch", Version: "v1", Kind: "Job"},
		{Version: "v1", Kind: "ConfigMap"},
		{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"},
	}
	// Every choice of kinds, with random values for the rest.
	random := rand.New(rand.NewPCG(1, 2))
	for choice := range 1 << len(possible) {
		config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}
		for i, gvk := range possible {
			if choice>>i&1 == 1 {
				config.TrackedObjects[gvk] = trace.TrackedObject{TrackLifecycle: random.IntN(4) == 0, SkipOwned: random.IntN(2) == 0}
			}
		}
		nodes := random.IntN(2) == 0
		role := rbac.Role{Name: "x"}
		for _, gvk := range rbac.Kinds(config, nodes) {
			role.Resources = append(role.Resources, rbac.Guess(gvk))
		}
		want := map[schema.GroupResource]bool{}
		for gvk := range plan(config, nodes) {
			resource := rbac.Guess(gvk)
			want[schema.GroupResource{Group: resource.Group, Resource: resource.Name}] = true
		}
		if diff := cmp.Diff(want, watchable(t, role.YAML())); diff != "" {
			t.Fatalf("with the config %+v and nodes %t, what may be listed and watched (-want +got):\n%s", config.TrackedObjects, nodes, diff)
		}
	}
}

// watchable returns what a role allows to list and watch.
func watchable(t *testing.T, role string) map[schema.GroupResource]bool {
	t.Helper()
	var decoded rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict([]byte(role), &decoded); err != nil {
		t.Fatal(err)
	}
	got := map[schema.GroupResource]bool{}
	for _, rule := range decoded.Rules {
		if !slices.Contains(rule.Verbs, "list") || !slices.Contains(rule.Verbs, "watch") {
			continue
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				got[schema.GroupResource{Group: group, Resource: resource}] = true
			}
		}
	}
	return got
}
