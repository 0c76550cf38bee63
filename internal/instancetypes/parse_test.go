package instancetypes

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const two = `apiVersion: simkube.io/v1
kind: InstanceTypes
zones: [a, b]
spotShare: 0.5
overhead: {cpu: 100m}
types:
- name: small
  capacity: {cpu: 2, memory: 8Gi}
  price: 0.1
- name: big
  architecture: arm64
  labels: {example.com/family: x}
  capacity: {cpu: 8, memory: 32Gi, pods: 20, nvidia.com/gpu: 1}
  overhead: {memory: 1Gi}
  offerings:
  - {zone: b, capacityType: on-demand, price: 2}
  - {zone: b, capacityType: spot, price: 1, available: false}
`

func TestParse(t *testing.T) {
	got, err := Parse("types.yaml", []byte(two))
	if err != nil {
		t.Fatal(err)
	}
	amounts := func(pairs ...string) corev1.ResourceList {
		list := corev1.ResourceList{}
		for i := 0; i < len(pairs); i += 2 {
			list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
		}
		return list
	}
	want := &List{Types: []Type{
		{
			Name: "small", Architecture: "amd64", OperatingSystem: "linux",
			Capacity: amounts("cpu", "2", "memory", "8Gi", "pods", "110"), Overhead: amounts("cpu", "100m"),
			Offerings: []Offering{{"a", OnDemand, 0.1, true}, {"a", Spot, 0.05, true}, {"b", OnDemand, 0.1, true}, {"b", Spot, 0.05, true}},
		},
		{
			Name: "big", Architecture: "arm64", OperatingSystem: "linux", Labels: map[string]string{"example.com/family": "x"},
			Capacity: amounts("cpu", "8", "memory", "32Gi", "pods", "20", "nvidia.com/gpu", "1"), Overhead: amounts("memory", "1Gi"),
			Offerings: []Offering{{"b", OnDemand, 2, true}, {"b", Spot, 1, false}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each problem has the line of its type.
func TestParse_Invalid(t *testing.T) {
	for name, c := range map[string]struct{ old, replacement, want string }{
		"empty":                 {two, "", "types.yaml: it is empty"},
		"another kind":          {"InstanceTypes", "Types", `types.yaml: is of "simkube.io/v1", kind "Types": must be of simkube.io/v1, kind InstanceTypes`},
		"unknown field":         {"zones:", "zone:", `types.yaml:3: unknown field "zone": must be apiVersion, kind, zones, spotShare, overhead or types`},
		"unknown in type":       {"  price: 0.1", "  cost: 0.1", `types.yaml:9: unknown field "cost": must be name, architecture,`},
		"name twice":            {"name: big", "name: small", `types.yaml:10: type "small": it is in line 7 as well`},
		"bad name":              {"name: big", "name: a b", `types.yaml:10: type "a b": invalid name "a b": must be up to 63`},
		"no price":              {"  price: 0.1\n", "", `types.yaml:7: type "small": invalid price none: must be a number`},
		"negative price":        {"price: 0.1", "price: -1", "invalid price -1: must be"},
		"quantity":              {"memory: 8Gi", "memory: lots", `types.yaml:7: type "small": invalid capacity memory "lots": must be a quantity`},
		"exponent":              {"memory: 8Gi", "memory: 1e-99999999", `invalid capacity memory "1e-99999999": must be a quantity`},
		"long":                  {"memory: 8Gi", "memory: 1" + strings.Repeat("0", 99), "must be a quantity"},
		"no CPU":                {"cpu: 2, ", "", "invalid capacity: cpu must be more than 0"},
		"spot share":            {"spotShare: 0.5", "spotShare: 2", "invalid spotShare 2: must be more than 0 and at most 1"},
		"both":                  {"  offerings:", "  price: 1\n  offerings:", `types.yaml:10: type "big": it has offerings: it must not have a price`},
		"capacity type":         {"capacityType: spot", "capacityType: free", `invalid capacityType "free": must be on-demand or spot`},
		"offering twice":        {"capacityType: spot", "capacityType: on-demand", "it has two offerings of on-demand in zone b"},
		"zones of another kind": {"zones: [a, b]", "zones: 1", `types.yaml:3: invalid value "1": must be a list`},
		"kind of a price":       {"price: 0.1", "price: cheap", `types.yaml:9: invalid value "cheap": must be a number`},
		"kind of a capacity":    {"capacity: {cpu: 2, memory: 8Gi}", "capacity: [1]", `types.yaml:8: invalid value: must be a mapping of fields`},
		"kind of a name":        {"name: small", "name: [small]", `types.yaml:7: invalid value: must be text`},
		"resource":              {"cpu: 2,", "cpu: 2, a b: 1,", `invalid capacity "a b": must be the name of a resource`},
		"two documents":         {"- name: big", "---\n- name: big", "types.yaml: it has more than one document"},
		"no median":             {"  price: 0.1", "  price: 0.1\n  startup: {p99: 1m}", `types.yaml:7: type "small": invalid startup median "": must be a duration of more than 0`},
		"startup":               {"  price: 0.1", "  price: 0.1\n  startup: {median: 0s}", `invalid startup median "0s": must be a duration of more than 0`},
		"p99":                   {"  price: 0.1", "  price: 0.1\n  startup: {median: 1m, p99: 40s}", `invalid startup p99 "40s": must be at least the median, 1m`},
		"unknown startup":       {"  price: 0.1", "  price: 0.1\n  startup: {median: 1m,\n    p50: 40s}", `types.yaml:11: unknown field "p50": must be median or p99`},
		"no zones":              {"zones: [a, b]\n", "", "it has no zones"},
		"label":                 {"example.com/family", "a/b/c", `invalid label "a/b/c"`},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.Replace(two, c.old, c.replacement, 1)
			if _, err := Parse("types.yaml", []byte(in)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestBuiltin(t *testing.T) {
	for _, name := range Names() {
		list, err := Builtin(name)
		if err != nil || len(list.Types) < 10 {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	if _, err := Builtin("other"); err == nil || !strings.Contains(err.Error(), `invalid list of instance types "other": must be general`) {
		t.Errorf("another name: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(two))
	f.Add(general[:2000])
	f.Add([]byte(rare))
	f.Fuzz(func(t *testing.T, data []byte) {
		if list, err := Parse("fuzz", data); err == nil {
			sameWritten(t, list)
		}
	})
}

func BenchmarkBuiltin(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Builtin(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A file with all types of AWS is the largest to expect.
func BenchmarkParse(b *testing.B) {
	list, err := Builtin(AWS)
	if err != nil {
		b.Fatal(err)
	}
	var file bytes.Buffer
	if err := WriteYAML(&file, list); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	for b.Loop() {
		if _, err := Parse(AWS, file.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
