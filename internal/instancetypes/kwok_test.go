package instancetypes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// kwok is a file in the format of Karpenter's provider for KWOK.
const kwok = `[
	{
		"name": "c-2x-amd64-linux",
		"offerings": [
			{
				"Price": 0.02,
				"Available": true,
				"Requirements": [
					{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]},
					{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]},
					{"key": "example.com/room", "operator": "In", "values": ["one"]}
				]
			},
			{
				"price": 0.05,
				"requirements": [
					{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
					{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]},
					{"key": "example.com/room", "operator": "In", "values": ["one"]}
				]
			}
		],
		"architecture": "amd64",
		"operatingSystems": ["linux"],
		"resources": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": 1}
	},
	{
		"name": "m5.xlarge",
		"offerings": [
			{
				"Price": 0.2,
				"Available": false,
				"ReservationCapacity": 3,
				"CapacityOverride": {"cpu": "3"},
				"color": "red",
				"Requirements": [
					{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand", "reserved"]},
					{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]},
					{"key": "example.com/rack", "operator": "NotIn", "values": ["x"]}
				]
			}
		],
		"architecture": "arm64",
		"operatingSystems": ["windows", "linux"],
		"resources": {"cpu": "4", "memory": "16Gi", "pods": "58"},
		"comment": "x"
	}
]
`

func TestParseKWOK(t *testing.T) {
	got, notes, err := ParseKWOK("kwok.json", []byte(kwok))
	if err != nil {
		t.Fatal(err)
	}
	want := parsed(t, `apiVersion: simkube.io/v1
kind: InstanceTypes
overhead: {cpu: 100m, memory: 10Mi}
types:
- name: c-2x-amd64-linux
  labels: {karpenter.kwok.sh/instance-size: "2", karpenter.kwok.sh/instance-family: c, karpenter.kwok.sh/instance-cpu: "2", karpenter.kwok.sh/instance-memory: 4Gi, example.com/room: one}
  capacity: {cpu: 2, memory: 4Gi, nvidia.com/gpu: 1}
  offerings:
  - {zone: a, capacityType: on-demand, price: 0.05}
  - {zone: a, capacityType: spot, price: 0.02}
  - {zone: b, capacityType: spot, price: 0.02}
- name: m5.xlarge
  architecture: arm64
  labels: {karpenter.kwok.sh/instance-size: xlarge, karpenter.kwok.sh/instance-family: m5, karpenter.kwok.sh/instance-cpu: "4", karpenter.kwok.sh/instance-memory: 16Gi}
  capacity: {cpu: 4, memory: 16Gi, pods: 58}
  zones: [a]
  price: 0.2
`)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantNotes := []string{
		"CapacityOverride of offerings is left out: a type has the same capacity and overhead in all offerings (1 type: m5.xlarge)",
		"ReservationCapacity is left out (1 type: m5.xlarge)",
		"offerings of reserved capacity are left out (1 type: m5.xlarge)",
		"offerings that are not available are available, as in that provider (1 type: m5.xlarge)",
		"operating systems beside linux are left out, since a type has one (1 type: m5.xlarge)",
		"requirements of example.com/rack are left out: only one value that all offerings of a type have can be a label (1 type: m5.xlarge)",
		"unknown field color of offerings is left out (1 type: m5.xlarge)",
		"unknown field comment is left out (1 type: m5.xlarge)",
	}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	sameWritten(t, got)
}

// Files that Karpenter is published with have types for several operating systems, types without
// memory, the architectures of EC2, and the offerings of older releases.
func TestParseKWOK_Published(t *testing.T) {
	const offerings = `"offerings": [{"capacityType": "spot", "zone": "b", "price": 0.5}, {"capacityType": "on-demand", "zone": "b", "price": 1}], "resources": `
	got, notes, err := ParseKWOK("kwok.json", []byte(`[
{"name": "t1.micro", "architecture": "i386", "operatingSystems": ["windows"], `+offerings+`{"cpu": "1", "memory": "0"}},
{"name": "m1.small", "architecture": "i386", "operatingSystems": ["windows"], `+offerings+`{"cpu": "1", "memory": "1Gi"}},
{"name": "m1.small", "architecture": "x86_64", "operatingSystems": ["linux"], `+offerings+`{"cpu": "1", "memory": "1Gi"}},
{"name": "m1.small", "architecture": "i386", "operatingSystems": ["linux"], `+offerings+`{"cpu": "1", "memory": "1Gi"}}
]`))
	if err != nil {
		t.Fatal(err)
	}
	want := parsed(t, `apiVersion: simkube.io/v1
kind: InstanceTypes
types:
- name: m1.small
  labels: {karpenter.kwok.sh/instance-size: small, karpenter.kwok.sh/instance-family: m1, karpenter.kwok.sh/instance-cpu: "1", karpenter.kwok.sh/instance-memory: 1Gi}
  capacity: {cpu: 1, memory: 1Gi}
  overhead: {cpu: 100m, memory: 10Mi}
  zones: [b]
  price: 1
  spotShare: 0.5
`)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantNotes := []string{
		"a type that is there for several operating systems or architectures is taken once, for linux if possible (1 type: m1.small)",
		"the architecture i386 is 386, as in the labels of nodes (1 type: m1.small)",
		"the architecture x86_64 is amd64, as in the labels of nodes (1 type: m1.small)",
		"types without CPUs or memory are left out, since no pod can use them (1 type: t1.micro)",
	}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// The same problem in each of many types is not shown for all of them.
func TestParseKWOK_ManyProblems(t *testing.T) {
	in := "[" + strings.Repeat(`{"name": "a b", "architecture": "amd64", "operatingSystems": ["linux"], "resources": {"cpu": 1, "memory": 1}},`, 30) + "{}]"
	_, _, err := ParseKWOK("kwok.json", []byte(in))
	if err == nil || strings.Count(err.Error(), "\n") != maxProblems || !strings.HasSuffix(err.Error(), " problems more") || !strings.Contains(err.Error(), "kwok.json: there are ") {
		t.Errorf("got %v", err)
	}
}

func TestParseKWOK_Invalid(t *testing.T) {
	for name, c := range map[string]struct{ old, replacement, want string }{
		"empty":             {kwok, "", "kwok.json:1: invalid JSON: EOF"},
		"object":            {kwok, "{}", "kwok.json:1: must be a JSON array of instance types, as Karpenter's provider for KWOK reads them"},
		"no types":          {kwok, "[]", "kwok.json: it has no types"},
		"cut":               {kwok, kwok[:300], "kwok.json:11: invalid JSON: unexpected EOF"},
		"syntax":            {`"Price": 0.02`, `"Price": 0.02.1`, "kwok.json:6: invalid JSON: invalid character '.'"},
		"more":              {"\n]\n", "\n]\n\n{}", "kwok.json:48: must end after the array"},
		"kind of a value":   {`"Price": 0.2`, `"Price": "0.2"`, `kwok.json:31: type "m5.xlarge": invalid offerings.Price: is string, must be number`},
		"quantity":          {`"4Gi"`, `"lots"`, `kwok.json:2: type "c-2x-amd64-linux": invalid capacity memory "lots": must be a quantity`},
		"twice":             {"m5.xlarge", "c-2x-amd64-linux", `kwok.json:27: type "c-2x-amd64-linux": it is in line 2 as well, with other values: must have another name`},
		"no name":           {`"name": "m5.xlarge",`, "", `kwok.json:27: type "": invalid name ""`},
		"architecture":      {`"architecture": "arm64",`, "", "it has no architecture: must be that of nodes"},
		"operating systems": {`["windows", "linux"]`, "[]", "it has no operatingSystems: must be a list with one"},
		"no zone":           {`{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]},`, "", `kwok.json:2: type "c-2x-amd64-linux": an offering has no requirement of topology.kubernetes.io/zone`},
		"zone not in":       {`"In", "values": ["a", "b"]`, `"NotIn", "values": ["a"]`, "invalid requirement of topology.kubernetes.io/zone: must have the operator In"},
		"capacity type":     {`["spot"]`, `["free"]`, `invalid capacityType "free": must be on-demand or spot`},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.Replace(kwok, c.old, c.replacement, 1)
			if _, _, err := ParseKWOK("kwok.json", []byte(in)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// What is imported can be written and parsed.
func FuzzParseKWOK(f *testing.F) {
	f.Add([]byte(kwok))
	f.Add([]byte(`[{"name": "a", "architecture": "amd64", "operatingSystems": ["linux"], "resources": {"cpu": 1, "memory": 1e9}, "offerings": [
{"Price": 1, "Requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]}, {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}]}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if list, _, err := ParseKWOK("fuzz", data); err == nil {
			sameWritten(t, list)
		}
	})
}
