package karpenter

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"

	"simkube.io/simkube/internal/instancetypes"
)

// TestNarrowed compares what Karpenter learns of the types of a pool, from all types and from
// those that are left: which types the pool allows, and which values its topologies have.
func TestNarrowed(t *testing.T) {
	list, err := instancetypes.Open("aws")
	if err != nil {
		t.Fatal(err)
	}
	all, err := convertTypes(list)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var fewer int
	for range 200 {
		pool := randomPool(random, all)
		n := newNarrowed()
		left := n.instanceTypes(pool, all)
		if len(left) < len(all) {
			fewer++
		}
		if got, want := allowed(pool, left), allowed(pool, all); !slices.Equal(got, want) {
			t.Errorf("%v: %d types are allowed, want %d", pool.Spec.Template.Spec.Requirements, len(got), len(want))
		}
		got, want := domains(pool, left), domains(pool, all)
		if len(got) != len(want) {
			t.Errorf("%v: %d labels have values, want %d", pool.Spec.Template.Spec.Requirements, len(got), len(want))
		}
		for key := range want {
			if !maps.Equal(got[key], want[key]) {
				t.Errorf("%v: %s has %d values, want %d", pool.Spec.Template.Spec.Requirements, key, len(got[key]), len(want[key]))
			}
		}
		if again := n.instanceTypes(pool, all); !same(again, left) {
			t.Error("the list was made again")
		}
	}
	if fewer < 100 {
		t.Errorf("types were left out for %d of 200 pools", fewer)
	}
}

// TestNarrowed_Used keeps the types of instances that exist.
func TestNarrowed_Used(t *testing.T) {
	all, err := convertTypes(testTypes())
	if err != nil {
		t.Fatal(err)
	}
	pool := &v1.NodePool{}
	pool.Spec.Template.Spec.Requirements = []v1.NodeSelectorRequirementWithMinValues{
		{Key: corev1.LabelInstanceTypeStable, Operator: corev1.NodeSelectorOpIn, Values: []string{all[0].Name}},
	}
	has := func(n *narrowed, name string) bool {
		return slices.ContainsFunc(n.instanceTypes(pool, all), func(t *cloudprovider.InstanceType) bool { return t.Name == name })
	}
	n, other := newNarrowed(), all[1].Name
	if !has(n, all[0].Name) || has(n, other) {
		t.Error("the types are not those of the pool")
	}
	n.add(other)
	n.add(other)
	n.remove(other)
	if !has(n, other) {
		t.Error("the type of an instance is left out")
	}
	n.remove(other)
	if has(n, other) {
		t.Error("the type of an instance that is gone is kept")
	}
	pool.Generation++
	pool.Spec.Template.Spec.Requirements = nil
	if !has(n, other) {
		t.Error("a type is left out that the changed pool allows")
	}
	if n = nil; !has(n, other) {
		t.Error("a type is left out without narrowing")
	}
}

// randomPool returns a pool with one to three requirements.
func randomPool(random *rand.Rand, types []*cloudprovider.InstanceType) *v1.NodePool {
	pool := &v1.NodePool{}
	operators := []corev1.NodeSelectorOperator{
		corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn, corev1.NodeSelectorOpExists, corev1.NodeSelectorOpDoesNotExist,
	}
	for range 1 + random.IntN(3) {
		// A requirement is about a label that a type has, and mostly of values that types have.
		of := types[random.IntN(len(types))].Requirements
		keys := slices.Sorted(maps.Keys(of))
		r := v1.NodeSelectorRequirementWithMinValues{Key: keys[random.IntN(len(keys))], Operator: operators[random.IntN(len(operators))]}
		if r.Operator == corev1.NodeSelectorOpIn || r.Operator == corev1.NodeSelectorOpNotIn {
			r.Values = append(r.Values, "none")
			for range 1 + random.IntN(4) {
				if other := types[random.IntN(len(types))].Requirements; other.Has(r.Key) {
					r.Values = append(r.Values, other.Get(r.Key).Values()...)
				}
			}
		}
		pool.Spec.Template.Spec.Requirements = append(pool.Spec.Template.Spec.Requirements, r)
	}
	if random.IntN(4) == 0 {
		pool.Spec.Template.Labels = map[string]string{corev1.LabelArchStable: "arm64"}
	}
	return pool
}

// allowed returns the names of the types that meet the requirements of a pool.
func allowed(pool *v1.NodePool, types []*cloudprovider.InstanceType) []string {
	var out []string
	for _, t := range types {
		if t.Requirements.Intersects(required(pool)) == nil {
			out = append(out, t.Name)
		}
	}
	return out
}

// domains returns the values by label that the types have within the requirements of a pool.
func domains(pool *v1.NodePool, types []*cloudprovider.InstanceType) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, t := range types {
		both := required(pool)
		both.Add(t.Requirements.Values()...)
		for key, r := range both {
			if out[key] == nil {
				out[key] = map[string]bool{}
			}
			for _, value := range r.Values() {
				out[key][value] = true
			}
		}
	}
	return out
}
