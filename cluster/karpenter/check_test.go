package karpenter

import (
	"fmt"
	"strings"
	"testing"
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
			want: []string{"pools.yaml, document 1: NodePool some: no instance type has the node.kubernetes.io/instance-type amd-3; there is amd-16, "},
		},
		"an unknown type": {
			in: pool("{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2, amd-3]}"), want: []string{"the node.kubernetes.io/instance-type amd-3;"},
		},
		"an unknown zone": {
			in:   pool("{key: topology.kubernetes.io/zone, operator: In, values: [zone-a, zone-x, zone-y]}"),
			want: []string{"no instance type has the topology.kubernetes.io/zone zone-x or zone-y; there is zone-a and zone-b"},
		},
		"no type": {
			in:      pool("{key: kubernetes.io/arch, operator: In, values: [riscv]}"),
			wantErr: []string{"no node pool can launch a node:\n", "no instance type has the kubernetes.io/arch riscv", "NodePool some allows none of the ", "none meets the requirement kubernetes.io/arch In [riscv]"},
		},
		"no type with all": {
			in:      pool("{key: kubernetes.io/arch, operator: In, values: [arm64]}, {key: node.kubernetes.io/instance-type, operator: In, values: [amd-2]}"),
			wantErr: []string{"NodePool some allows none of the ", "none that is available meets all of its requirements"},
		},
		"one of two": {
			in:   pool("") + "---" + strings.Replace(pool("{key: kubernetes.io/os, operator: In, values: [windows]}"), "some", "other", 1),
			want: []string{"document 2: NodePool other: no instance type has the kubernetes.io/os windows", "NodePool other allows none of"},
		},
		"minValues": {
			in:      pool("{key: node.kubernetes.io/instance-type, operator: Exists, minValues: 50}"),
			wantErr: []string{"too few for its minValues"},
		},
		"a limit": {in: pool("") + "  limits: {memory: 1Gi, cpu: 0}\n", wantErr: []string{"NodePool some has a limit of 0 for cpu: it launches no node"}},
		"a shortage": {
			in: class("shortages: [{zones: [zone-a]}, {instanceTypes: [huge]}]"), want: []string{"NodeClass some, shortages[1]: no instance type has the node.kubernetes.io/instance-type huge"},
		},
		"an interruption":        {in: class("interruptions: [{capacityTypes: [free], perHour: 1}]"), want: []string{"NodeClass some, interruptions[0]: no instance type has the karpenter.sh/capacity-type free"}},
		"left to the API server": {in: pool("{key: kubernetes.io/arch, operator: Maybe, values: 3}")},
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
