package instancetypes

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
)

const several = `apiVersion: simkube.io/v1
kind: InstanceTypes
zones: [a, b]
spotShare: 0.5
types:
- {name: m.1, capacity: {cpu: 1, memory: 4Gi}, price: 0.05}
- {name: m.2, capacity: {cpu: 2, memory: 8Gi}, price: 0.1, labels: {family: m}}
- {name: a.4, architecture: arm64, capacity: {cpu: 4, memory: 8Gi}, price: 0.12}
- {name: g.4, capacity: {cpu: 4, memory: 16Gi, nvidia.com/gpu: 2}, price: 1, zones: [b]}
- {name: x.4, capacity: {cpu: 4, memory: 16Gi, amd.com/gpu: 1}, offerings: [{zone: c, capacityType: spot, price: 0.3}]}
`

func parsed(t *testing.T, text string) *List {
	t.Helper()
	list, err := Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// shown returns the names of types with their offerings.
func shown(list *List) string {
	var out []string
	for i := range list.Types {
		var offerings []string
		for _, o := range list.Types[i].Offerings {
			offerings = append(offerings, o.Zone+" "+o.CapacityType)
		}
		out = append(out, list.Types[i].Name+": "+strings.Join(offerings, ", "))
	}
	return strings.Join(out, "; ")
}

func TestList_Select(t *testing.T) {
	amount := func(name, q string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceName(name): resource.MustParse(q)}
	}
	selector := func(text string) labels.Selector {
		s, err := labels.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	price := 0.06
	const all = "a on-demand, a spot, b on-demand, b spot"
	for name, c := range map[string]struct {
		query Query
		want  string
	}{
		"all":           {Query{}, "m.1: " + all + "; m.2: " + all + "; a.4: " + all + "; g.4: b on-demand, b spot; x.4: c spot"},
		"name":          {Query{Name: "m.*"}, "m.1: " + all + "; m.2: " + all},
		"architecture":  {Query{Architectures: []string{"arm64"}}, "a.4: " + all},
		"CPUs":          {Query{Min: amount("cpu", "2"), Max: amount("cpu", "2")}, "m.2: " + all},
		"memory":        {Query{Min: amount("memory", "16Gi")}, "g.4: b on-demand, b spot; x.4: c spot"},
		"resource":      {Query{Min: amount("amd.com/gpu", "1")}, "x.4: c spot"},
		"GPUs":          {Query{GPUs: 2}, "g.4: b on-demand, b spot"},
		"label":         {Query{Labels: selector("family=m")}, "m.2: " + all},
		"node label":    {Query{Labels: selector("kubernetes.io/arch=arm64,node.kubernetes.io/instance-type in (a.4,m.1)")}, "a.4: " + all},
		"capacity type": {Query{CapacityTypes: []string{Spot}, Name: "[gx].4"}, "g.4: b spot; x.4: c spot"},
		"zone":          {Query{Zones: []string{"a", "c"}}, "m.1: a on-demand, a spot; m.2: a on-demand, a spot; a.4: a on-demand, a spot; x.4: c spot"},
		"price":         {Query{MaxPrice: &price}, "m.1: " + all + "; m.2: a spot, b spot; a.4: a spot, b spot"},
		"nothing":       {Query{Name: "z"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			list := parsed(t, several)
			if got := shown(list.Select(&c.query)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := shown(list); got != shown(parsed(t, several)) {
				t.Errorf("the list was changed: %s", got)
			}
		})
	}
}

func TestList_Sort(t *testing.T) {
	for order, want := range map[string]string{
		ByName:     "a.4 g.4 m.1 m.2 x.4",
		ByCPU:      "m.1 m.2 a.4 g.4 x.4",
		ByMemory:   "m.1 m.2 a.4 g.4 x.4",
		ByPrice:    "m.1 m.2 a.4 x.4 g.4",
		ByCPUPrice: "a.4 m.1 m.2 x.4 g.4",
	} {
		list := parsed(t, several)
		list.Sort(order)
		var got []string
		for i := range list.Types {
			got = append(got, list.Types[i].Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", order, strings.Join(got, " "), want)
		}
	}
}
