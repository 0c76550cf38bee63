package simulation

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/packing"
)

const testTypes = `apiVersion: simkube.io/v1
kind: InstanceTypes
zones: [a, b]
spotShare: 0.5
overhead: {cpu: 100m, memory: 1Gi}
types:
- {name: small, capacity: {cpu: 2, memory: 8Gi}, labels: {example.com/size: "2"}, price: 1}
- {name: big, capacity: {cpu: 8, memory: 32Gi}, labels: {example.com/size: "8"}, price: 4}
- {name: arm, architecture: arm64, capacity: {cpu: 2, memory: 8Gi}, price: 0.8}
- name: scarce
  capacity: {cpu: 4, memory: 8Gi, nvidia.com/gpu: 1}
  offerings:
  - {zone: a, capacityType: on-demand, price: 3}
  - {zone: b, capacityType: on-demand, price: 2, available: false}
`

func pool(requirements string) string {
	return "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p}\nspec: {template: {spec: {requirements: [" + requirements + "]}}}\n"
}

func TestAutoscaler_Offers(t *testing.T) {
	small, big := map[string]float64{"cpu": 1.9, "memory": 7 << 30, "pods": 110}, map[string]float64{"cpu": 7.9, "memory": 31 << 30, "pods": 110}
	scarce := map[string]float64{"cpu": 3.9, "memory": 7 << 30, "pods": 110, "nvidia.com/gpu": 1}
	onDemand := `{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}`
	for name, c := range map[string]struct {
		pools string // empty: the default pool
		want  []packing.Offer
	}{
		"the default pool":   {"", []packing.Offer{offer(small, 1), offer(big, 4), offer(scarce, 3)}},
		"no requirements":    {pool(""), []packing.Offer{offer(small, 0.5), offer(big, 2), offer(small, 0.4), offer(scarce, 3)}},
		"an architecture":    {pool(`{key: kubernetes.io/arch, operator: NotIn, values: [amd64]}`), []packing.Offer{offer(small, 0.4)}},
		"a zone":             {pool(`{key: topology.kubernetes.io/zone, operator: In, values: [b]}`), []packing.Offer{offer(small, 0.5), offer(big, 2), offer(small, 0.4)}},
		"a label of types":   {pool(onDemand + `, {key: example.com/size, operator: Gt, values: ["2"]}`), []packing.Offer{offer(big, 4), offer(small, 0.8), offer(scarce, 3)}},
		"lower":              {pool(onDemand + `, {key: example.com/size, operator: Lt, values: ["8"]}, {key: kubernetes.io/arch, operator: In, values: [amd64]}`), []packing.Offer{offer(small, 1), offer(scarce, 3)}},
		"an unknown label":   {pool(`{key: example.com/team, operator: In, values: [x]}, {key: node.kubernetes.io/instance-type, operator: In, values: [big]}`), []packing.Offer{offer(big, 2)}},
		"an operator to be":  {pool(`{key: node.kubernetes.io/instance-type, operator: Matches, values: [x]}, ` + onDemand), []packing.Offer{offer(small, 1), offer(big, 4), offer(small, 0.8), offer(scarce, 3)}},
		"two pools":          {pool(`{key: node.kubernetes.io/instance-type, operator: In, values: [arm]}`) + "---\n" + pool(`{key: node.kubernetes.io/instance-type, operator: In, values: [scarce]}`), []packing.Offer{offer(small, 0.4), offer(scarce, 3)}},
		"an overlay":         {pool("") + "---\n{apiVersion: karpenter.sh/v1alpha1, kind: NodeOverlay, metadata: {name: o}, spec: {price: \"1\"}}\n", nil},
		"no pool":            {"kind: NodeClass\n", nil},
		"not a file of this": {"kind: [", nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := Autoscaler{Kind: Karpenter, InstanceTypes: filepath.Join(dir, "types.yaml")}
			writeText(t, a.InstanceTypes, testTypes)
			if c.pools != "" {
				a.NodePools = filepath.Join(dir, "pools.yaml")
				writeText(t, a.NodePools, c.pools)
			}
			got, err := a.offers()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := (&Autoscaler{InstanceTypes: filepath.Join(t.TempDir(), "none.yaml")}).offers(); err == nil {
		t.Error("no error for a list that does not exist")
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The requirements of the default pool are those of the pool that the autoscaler has.
func TestDefaultPool(t *testing.T) {
	data, err := os.ReadFile("../../cluster/karpenter/defaultpool.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pools, ok := parsePools(data)
	if !ok {
		t.Fatal("the default pool cannot be parsed")
	}
	if diff := cmp.Diff(pools, defaultPool(), cmp.AllowUnexported(nodePool{})); diff != "" {
		t.Errorf("(-file +code):\n%s", diff)
	}
}

// The bound of what an instance of the general list has is at most its price.
func TestAutoscaler_OffersOfGeneral(t *testing.T) {
	offers, err := (&Autoscaler{Kind: Karpenter}).offers()
	if err != nil || len(offers) == 0 {
		t.Fatalf("%d offers: %v", len(offers), err)
	}
	bound := packing.New(offers)
	for _, o := range offers {
		if got := bound.PerHour(o.Allocatable); got <= 0 || got > o.Price*(1+1e-9) {
			t.Errorf("the bound of all of %+v is %v", o, got)
		}
	}
}

func FuzzParsePools(f *testing.F) {
	f.Add([]byte(pool(`{key: a, operator: In, values: [b]}`)))
	f.Add([]byte("kind: NodeOverlay\n---\n[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if pools, ok := parsePools(data); ok && len(pools) == 0 {
			t.Error("known without a pool")
		}
	})
}

func offer(allocatable map[string]float64, price float64) packing.Offer {
	return packing.Offer{Allocatable: allocatable, Price: price}
}
