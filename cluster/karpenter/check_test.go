package karpenter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/internal/instancetypes"
)

const checkedPool = `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: some}
spec:
  template:
    spec:
      nodeClassRef: {group: simkube.io, kind: NodeClass, name: some}
      requirements: [%s]
`

// Pools that launch no nodes, and names that no instance type has, are found before the start.
func TestPools_Check(t *testing.T) {
	pool := func(requirements string) string { return fmt.Sprintf(checkedPool, requirements) }
	class := func(spec string) string {
		return pool("") + "---\n{apiVersion: simkube.io/v1, kind: NodeClass, metadata: {name: some}, spec: {" + spec + "}}"
	}
	const zone = "{key: topology.kubernetes.io/zone, operator: In, values: [zone-a]}"
	for name, c := range map[string]struct {
		in      string
		want    []string // parts of warnings
		wantErr []string // parts of the error
	}{
		"all":            {in: pool("")},
		"some":           {in: pool(zone)},
		"a label of its": {in: pool("{key: example.com/team, operator: In, values: [a]}")},
		"another operator": {
			in:   pool("{key: node.kubernetes.io/instance-type, operator: NotIn, values: [amd-3]}"),
			want: []string{"pools.yaml, document 1: NodePool some: no instance type has the node.kubernetes.io/instance-type amd-3: did you mean amd-2, amd-4 or amd-8?"},
		},
		"an unknown type": {
			in: pool("{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2, amd-3]}"), want: []string{"the node.kubernetes.io/instance-type amd-3: did you mean amd-2, amd-4 or amd-8?"},
		},
		"an unknown zone": {
			in:   pool("{key: topology.kubernetes.io/zone, operator: In, values: [zone-a, zone-x, zone-y]}"),
			want: []string{"no instance type has the topology.kubernetes.io/zone zone-x or zone-y: did you mean zone-a or zone-b?"},
		},
		"an unknown capacity type": {
			in:   pool("{key: karpenter.sh/capacity-type, operator: In, values: [spot, preemptible]}"),
			want: []string{"no instance type has the karpenter.sh/capacity-type preemptible; there is on-demand and spot"},
		},
		"no type": {
			in:      pool("{key: kubernetes.io/arch, operator: In, values: [riscv]}"),
			wantErr: []string{"no node pool can launch a node:\n", "no instance type has the kubernetes.io/arch riscv", "NodePool some allows none of the ", "none that is available meets the requirement kubernetes.io/arch In [riscv]"},
		},
		"no type with all": {
			in: pool("{key: kubernetes.io/arch, operator: In, values: [arm64]}, {key: node.kubernetes.io/instance-type, operator: In, values: [amd-2]}, {key: karpenter.sh/capacity-type, operator: In, values: [spot]}"),
			wantErr: []string{
				"NodePool some allows none of the 8 instance types: none that is available meets the requirements " +
					"kubernetes.io/arch In [arm64] and node.kubernetes.io/instance-type In [amd-2] together",
			},
		},
		"one of two": {
			in:   pool("") + "---" + strings.Replace(pool("{key: kubernetes.io/os, operator: In, values: [windows]}"), "some", "other", 1),
			want: []string{"document 2: NodePool other: no instance type has the kubernetes.io/os windows", "NodePool other allows none of"},
		},
		"minValues": {
			in:      pool("{key: node.kubernetes.io/instance-type, operator: Exists, minValues: 50}"),
			wantErr: []string{"NodePool some allows 8 instance types, too few for its minValues: they have 8 values of node.kubernetes.io/instance-type, and 50 must be possible"},
		},
		"a limit of 0": {in: pool("") + "  limits: {memory: 1Ti, cpu: 0}\n", wantErr: []string{"NodePool some has a limit of 0 for cpu: it launches no node"}},
		"a limit that is too small": {
			in: pool("") + "  limits: {cpu: 1500m}\n", wantErr: []string{"NodePool some has a limit of 1500m for cpu, and each of the 8 instance types that it allows has more: it launches no node"},
		},
		"a limit of nodes":         {in: pool("") + "  limits: {nodes: 0}\n", wantErr: []string{"NodePool some has a limit of 0 for nodes: it launches no node"}},
		"a limit that is just met": {in: pool("") + "  limits: {cpu: 2, memory: 8Gi, nodes: 1}\n"},
		"limits for each type": {
			in:      pool("{key: node.kubernetes.io/instance-type, operator: In, values: [amd-16, gpu-8]}") + "  limits: {cpu: 8, nvidia.com/gpu: 0}\n",
			wantErr: []string{"NodePool some has limits of which each instance type that it allows exceeds one: it launches no node"},
		},
		"no GPUs": {in: pool("") + "  limits: {nvidia.com/gpu: 0}\n"},
		"a shortage": {
			in: class("shortages: [{zones: [zone-a]}, {instanceTypes: [huge]}]"), want: []string{"NodeClass some, shortages[1]: no instance type has the node.kubernetes.io/instance-type huge"},
		},
		"a shortage of nothing":                      {in: class("shortages: [{zones: [zone-a], capacityTypes: [reserved]}, {zones: [zone-a]}]"), want: []string{"shortages[0]: no instance type has the karpenter.sh/capacity-type reserved"}},
		"a shortage of all":                          {in: class("shortages: [{zones: [zone-a]}, {zones: [zone-b]}]"), want: []string{"document 1: NodePool some launches no node: by the shortages of its node class some, there is never capacity"}},
		"a shortage that ends":                       {in: class("shortages: [{until: 1h}]")},
		"a shortage that begins":                     {in: class("shortages: [{from: 1h}]")},
		"a shortage of a zone, which a pod may need": {in: class("shortages: [{zones: [zone-a]}]")},
		"an interruption":                            {in: class("interruptions: [{capacityTypes: [free], perHour: 1}]"), want: []string{"NodeClass some, interruptions[0]: no instance type has the karpenter.sh/capacity-type free"}},
		"left to the API server":                     {in: pool("{key: kubernetes.io/arch, operator: Maybe, values: 3}")},
	} {
		t.Run(name, func(t *testing.T) {
			pools, err := ParsePools("pools.yaml", []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			warnings, err := pools.Check(testTypes())
			if len(warnings) != len(c.want) {
				t.Errorf("got the warnings %q", warnings)
			}
			for i, want := range c.want {
				if i < len(warnings) && !strings.Contains(warnings[i], want) {
					t.Errorf("got the warning %q, want %q", warnings[i], want)
				}
			}
			if (err != nil) != (len(c.wantErr) > 0) {
				t.Errorf("got the error %v", err)
			}
			for _, want := range c.wantErr {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("got the error %v, want %q", err, want)
				}
			}
		})
	}
}

// Names that exist can select nothing together.
func TestPools_Check_Together(t *testing.T) {
	list := testTypes()
	for i := range list.Types {
		if kind := &list.Types[i]; kind.Name == "arm-4" {
			kind.Offerings = slices.DeleteFunc(kind.Offerings, func(o instancetypes.Offering) bool { return o.Zone == "zone-a" })
		}
	}
	pools, err := ParsePools("pools.yaml", []byte(fmt.Sprintf(checkedPool, "")+`---
{apiVersion: simkube.io/v1, kind: NodeClass, metadata: {name: some}, spec: {shortages: [{instanceTypes: [arm-4], zones: [zone-b]}, {instanceTypes: [arm-4], zones: [zone-a]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := pools.Check(list)
	const want = "pools.yaml, document 2: NodeClass some, shortages[1]: no instance type has an offering with these instanceTypes, zones and capacityTypes"
	if err != nil || len(warnings) != 1 || warnings[0] != want {
		t.Errorf("got %q and the error %v, want %q", warnings, err, want)
	}
}
