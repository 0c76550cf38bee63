package karpenter

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// matchPools are in the order of their weights.
const matchPools = `
- metadata: {name: tainted}
  spec:
    template:
      spec:
        taints: [{key: dedicated, value: gpu, effect: NoSchedule}]
        startupTaints: [{key: example.com/starting, effect: NoSchedule}]
- metadata: {name: team}
  spec:
    template:
      metadata: {labels: {tier: front}}
      spec: {requirements: [{key: team, operator: In, values: [a, b]}]}
- metadata: {name: small}
  spec:
    template:
      metadata: {labels: {tier: back}}
      spec:
        requirements:
        - {key: node.kubernetes.io/instance-type, operator: In, values: [amd-2, amd-4]}
        - {key: example.com/family, operator: NotIn, values: [arm]}
`

func testMatcher(t *testing.T) *matcher {
	t.Helper()
	m := &matcher{all: true}
	if err := sigsyaml.UnmarshalStrict([]byte(matchPools), &m.pools); err != nil {
		t.Fatal(err)
	}
	for i := range m.pools {
		m.pools[i].Spec.Template.Spec.NodeClassRef = &v1.NodeClassReference{Group: "simkube.io", Kind: "NodeClass", Name: "fast"}
	}
	var err error
	if m.types, err = convertTypes(testTypes()); err != nil {
		t.Fatal(err)
	}
	return m
}

func labelled(key, value string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels[key] = value }
}

func tainted(key, value string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: effect})
	}
}

// A node gets the first pool that makes such nodes, and otherwise none.
func TestMatcher(t *testing.T) {
	t.Parallel()
	m := testMatcher(t)
	gpu := tainted("dedicated", "gpu", corev1.TaintEffectNoSchedule)
	for name, c := range map[string]struct {
		kind   string
		change []func(*corev1.Node)
		want   string
	}{
		"taints of a pool":             {"amd-16", []func(*corev1.Node){gpu}, "tainted"},
		"and of one that starts":       {"amd-16", []func(*corev1.Node){gpu, unregistered, tainted("example.com/starting", "", corev1.TaintEffectNoSchedule)}, "tainted"},
		"another value of the taint":   {"amd-16", []func(*corev1.Node){tainted("dedicated", "x", corev1.TaintEffectNoSchedule)}, ""},
		"a taint that no pool has":     {"amd-2", []func(*corev1.Node){tainted("example.com/own", "", corev1.TaintEffectNoExecute)}, ""},
		"a taint that only advises":    {"amd-2", []func(*corev1.Node){tainted("example.com/own", "", corev1.TaintEffectPreferNoSchedule)}, "small"},
		"a label that a pool needs":    {"amd-2", []func(*corev1.Node){labelled("team", "b")}, "team"},
		"another value of the label":   {"amd-2", []func(*corev1.Node){labelled("team", "c")}, "small"},
		"a label that a pool gives":    {"amd-2", []func(*corev1.Node){labelled("team", "b"), labelled("tier", "back")}, "small"},
		"a type of the last pool":      {"amd-4", nil, "small"},
		"a type of no pool":            {"amd-16", nil, ""},
		"a label of types, excluded":   {"arm-4", nil, ""},
		"the pool that the node names": {"amd-16", []func(*corev1.Node){ofPool("small"), labelled("tier", "own")}, "small"},
	} {
		found, why := m.match(existingNode("n", c.kind, 4, c.change...))
		var got string
		if found.pool != nil {
			got = found.pool.Name
		}
		if got != c.want || (got == "") != (why.what == "no node pool allows such a node") {
			t.Errorf("%s: pool %q, %q; want %q", name, got, why.what, c.want)
		}
	}
}

// With one pool, the reason says what it is about the node.
func TestMatcher_Reason(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		pool   int
		change func(*corev1.Node)
	}{
		"it does not have the taint dedicated=gpu:NoSchedule":    {0, func(*corev1.Node) {}},
		"it has no label team":                                   {1, func(*corev1.Node) {}},
		`its label team is "c"`:                                  {1, labelled("team", "c")},
		`its label tier is "own"`:                                {2, labelled("tier", "own")},
		`its label node.kubernetes.io/instance-type is "amd-16"`: {2, func(*corev1.Node) {}},
	} {
		m := testMatcher(t)
		m.pools = m.pools[c.pool : c.pool+1]
		_, why := m.match(existingNode("n", "amd-16", 16, c.change))
		if why.detail != want {
			t.Errorf("got %q, want %q", why.detail, want)
		}
	}
}

// A claim says what its node is, also if its pool requires something else.
func TestMatch_Claim(t *testing.T) {
	t.Parallel()
	m := testMatcher(t)
	own := tainted("example.com/own", "", corev1.TaintEffectNoSchedule)
	for name, c := range map[string]struct {
		change []func(*corev1.Node)
		labels map[string]string
		taints int
	}{
		"one of several values":  {[]func(*corev1.Node){labelled("team", "b")}, map[string]string{"team": "b", "tier": "front"}, 0},
		"a value of its own":     {[]func(*corev1.Node){labelled("team", "z"), labelled("tier", "x")}, map[string]string{"team": "z", "tier": "x"}, 0},
		"an empty value":         {[]func(*corev1.Node){labelled("team", "")}, map[string]string{"team": "", "tier": "front"}, 0},
		"without a label":        {nil, map[string]string{"tier": "front"}, 0},
		"with taints of its own": {[]func(*corev1.Node){own, unregistered}, map[string]string{"tier": "front"}, 1},
	} {
		found, _ := m.match(existingNode("n", "amd-16", 16, append(c.change, ofPool("team"))...))
		claim := found.claim()
		got := maps.Clone(claim.Labels)
		delete(got, v1.NodePoolLabelKey)
		delete(got, "simkube.io/nodeclass")
		if !maps.Equal(got, c.labels) || claim.Labels[v1.NodePoolLabelKey] != "team" || claim.Name != "n" || len(claim.Spec.Taints) != c.taints {
			t.Errorf("%s: claim %s, labels %v, taints %v; want labels %v, %d taints", name, claim.Name, claim.Labels, claim.Spec.Taints, c.labels, c.taints)
		}
		if !slices.ContainsFunc(claim.Spec.Requirements, func(r v1.NodeSelectorRequirementWithMinValues) bool {
			return r.Key == corev1.LabelInstanceTypeStable && slices.Equal(r.Values, []string{"amd-16"})
		}) {
			t.Errorf("%s: requirements %v", name, claim.Spec.Requirements)
		}
	}
}
