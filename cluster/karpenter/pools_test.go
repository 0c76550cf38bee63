package karpenter

import (
	"strings"
	"testing"
)

const ec2Pool = `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: general}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: linux}
      requirements: []
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: linux}
spec: {role: nodes}
`

// Node classes of a cloud become ours, of the same name, and a note says so.
func TestParsePools(t *testing.T) {
	pools, err := ParsePools("pools.yaml", []byte(ec2Pool))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range pools.objects {
		got = append(got, o.object.GetKind()+" "+o.object.GetName())
	}
	if want := "NodePool general, NodeClass linux"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if pools.Count() != 1 || len(pools.Notes) != 1 || !strings.Contains(pools.Notes[0], "EC2NodeClass linux") {
		t.Errorf("got %d pools, notes %q; want one of each", pools.Count(), pools.Notes)
	}
	if p := DefaultPools(); p.Count() != 1 || len(p.Notes) != 0 {
		t.Errorf("%d default pools with notes %q, want 1 without", p.Count(), p.Notes)
	}
	alone, _, _ := strings.Cut(ec2Pool, "---")
	pools, err = ParsePools("pools.yaml", []byte(alone))
	if err != nil {
		t.Fatal(err)
	}
	if len(pools.Notes) != 1 || pools.Notes[0] != "pools.yaml has no node class linux: its instances take as long as those of the default one" {
		t.Errorf("without its node class: notes %q", pools.Notes)
	}
	pools, err = ParsePools("pools.yaml", []byte(strings.Replace(ec2Pool, "name: linux}\nspec", "name: linus}\nspec", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if len(pools.Notes) != 2 || !strings.HasSuffix(pools.Notes[1], "has no node class linux: its instances take as long as those of the default one (did you mean the node class linus?)") {
		t.Errorf("with a node class of a similar name: notes %q", pools.Notes)
	}
}

func TestParsePools_Invalid(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"no pool":      {"", "pools.yaml: it has no NodePool of karpenter.sh/v1"},
		"not YAML":     {"a: [", "pools.yaml, document 1: "},
		"old version":  {strings.Replace(ec2Pool, "karpenter.sh/v1", "karpenter.sh/v1beta1", 1), "pools.yaml, document 1: NodePool general is of karpenter.sh/v1beta1: must be of karpenter.sh/v1"},
		"no class":     {strings.Replace(ec2Pool, ", name: linux}", "}", 1), "spec.template.spec.nodeClassRef.name must be the name of a node class"},
		"another kind": {ec2Pool + "---\n{apiVersion: v1, kind: Pod, metadata: {name: p}}", "pools.yaml, document 3: Pod p: must be a NodePool, NodeOverlay or node class"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParsePools("pools.yaml", []byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// The API server's message about an invalid pool or node class has the file and the document.
func TestPools_Create_Invalid(t *testing.T) {
	t.Parallel()
	class := func(spec string) string {
		return "{apiVersion: simkube.io/v1, kind: NodeClass, metadata: {name: invalid}, spec: " + spec + "}\n---\n" + ec2Pool
	}
	for name, c := range map[string]struct{ in, want string }{
		"an operator": {
			strings.Replace(ec2Pool, "requirements: []", "requirements: [{key: kubernetes.io/arch, operator: Inn, values: [amd64]}]", 1),
			`pools.yaml, document 1: NodePool.karpenter.sh "general" is invalid: `,
		},
		"an unknown field": {strings.Replace(ec2Pool, "requirements: []", "requirements: []\n      labels: {}", 1), `pools.yaml, document 1: NodePool in version "v1" cannot be handled`},
		"a delay":          {class("{startup: {median: soon}}"), `pools.yaml, document 1: NodeClass.simkube.io "invalid" is invalid: [spec.startup.median: Invalid value: "soon"`},
		"an interruption":  {class("{interruptions: [{perHour: 1, share: 1}]}"), "must have either perHour, or at and share"},
		"a shortage":       {class("{shortages: [{from: 11h, until: 9h}]}"), "until must be after from"},
		"a capacity type":  {class("{shortages: [{capacityTypes: [free]}]}"), `spec.shortages[0].capacityTypes[0]: Unsupported value: "free"`},
	} {
		pools, err := ParsePools("pools.yaml", []byte(c.in))
		if err != nil {
			t.Fatal(err)
		}
		// The others are not created.
		pools.objects = pools.objects[:1]
		if err := pools.create(t.Context(), objects); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func FuzzParsePools(f *testing.F) {
	f.Add([]byte(ec2Pool))
	f.Add(defaultPool)
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = ParsePools("fuzz", data) })
}
