package nodes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/trace"
)

// kinds returns how many nodes there are of each kind, described by what differs from the default:
// "2 of gpu=yes nvidia.com/gpu=8".
func kinds(plan *Plan) []string {
	plain := Build(3, Shape{})
	counts := map[string]int{}
	for _, node := range plan.Nodes {
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(node.Labels)) {
			value := node.Labels[key]
			ordinary := slices.ContainsFunc(plain, func(other *corev1.Node) bool { return other.Labels[key] == value })
			switch {
			case key == corev1.LabelHostname && !strings.HasPrefix(node.Name, "node-"), key == corev1.LabelInstanceTypeStable && !strings.HasPrefix(value, "cpu"):
				parts = append(parts, key+"="+value)
			case key == corev1.LabelHostname || key == corev1.LabelInstanceTypeStable || ordinary:
			default:
				parts = append(parts, key+"="+value)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(plain[0].Labels)) {
			if _, ok := node.Labels[key]; !ok {
				parts = append(parts, "no "+key)
			}
		}
		for _, name := range sortedResources(node.Status.Allocatable) {
			have, usual := node.Status.Allocatable[name], plain[0].Status.Allocatable[name]
			if have.Cmp(usual) != 0 {
				parts = append(parts, fmt.Sprintf("%s=%s", name, have.String()))
			}
		}
		for _, taint := range node.Spec.Taints {
			if taint.Effect != corev1.TaintEffectPreferNoSchedule {
				parts = append(parts, taint.ToString())
			}
		}
		counts[strings.Join(parts, " ")]++
	}
	var out []string
	for kind, count := range counts {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d %s", count, kind)))
	}
	slices.Sort(out)
	return out
}

func required(terms string) string {
	return `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [` + terms + `]}}}`
}

func TestPrepare_AutoGivesWhatPodsAskFor(t *testing.T) {
	plain := deployment(t, "plain", 3, podSpec("1", "1Gi", ""))
	with := func(name, more string) trace.Object { return deployment(t, name, 1, podSpec("1", "1Gi", more)) }
	asking := func(name string, replicas int, requests string) trace.Object {
		return deployment(t, name, replicas, `{containers: [{name: c, resources: {limits: {`+requests+`}}}]}`)
	}
	tests := []struct {
		name    string
		objects []trace.Object
		want    []string
	}{
		{"selector", []trace.Object{plain, with("gpu", "nodeSelector: {type: gpu}")}, []string{"2", "2 type=gpu"}},
		{
			"selector and an affinity that mean the same",
			[]trace.Object{plain, with("a", "nodeSelector: {type: gpu}"), with("b", required("{matchExpressions: [{key: type, operator: In, values: [gpu, tpu]}]}"))},
			[]string{"2", "2 type=gpu"},
		},
		{
			"selectors that exclude each other",
			[]trace.Object{with("a", "nodeSelector: {disk: ssd}"), with("b", "nodeSelector: {disk: hdd}")},
			[]string{"2 disk=hdd", "2 disk=ssd"},
		},
		{
			"the first term that can be satisfied",
			[]trace.Object{with("a", "nodeSelector: {disk: ssd}, "+required(
				"{matchExpressions: [{key: disk, operator: In, values: [hdd]}]}, {matchExpressions: [{key: cores, operator: Gt, values: ['4']}, {key: cores, operator: Lt, values: ['9']}, {key: fast, operator: Exists}]}"))},
			[]string{"2 cores=5 disk=ssd fast=true"},
		},
		{
			"not in and not there",
			[]trace.Object{plain, with("a", required(
				"{matchExpressions: [{key: type, operator: NotIn, values: [virtual]}, {key: kubernetes.io/arch, operator: NotIn, values: [amd64]}, {key: topology.kubernetes.io/region, operator: DoesNotExist}]}"))},
			[]string{"2", "2 no kubernetes.io/arch no topology.kubernetes.io/region no type"},
		},
		{
			"windows and arm",
			[]trace.Object{plain, with("win", "nodeSelector: {kubernetes.io/os: windows}"), with("arm", "nodeSelector: {kubernetes.io/arch: arm64}")},
			[]string{"2", "2 beta.kubernetes.io/arch=arm64 kubernetes.io/arch=arm64", "2 beta.kubernetes.io/os=windows kubernetes.io/os=windows"},
		},
		{
			"an instance type",
			[]trace.Object{plain, with("a", "nodeSelector: {node.kubernetes.io/instance-type: m5.large}")},
			[]string{"2", "2 node.kubernetes.io/instance-type=m5.large"},
		},
		{
			"host names",
			[]trace.Object{
				plain, with("a", "nodeSelector: {kubernetes.io/hostname: worker-7}"),
				with("b", required("{matchFields: [{key: metadata.name, operator: In, values: [worker-7]}], matchExpressions: [{key: disk, operator: Exists}]}")),
			},
			[]string{"1 disk=true kubernetes.io/hostname=worker-7", "2"},
		},
		{
			"a node with room for all pods that name it",
			[]trace.Object{deployment(t, "a", 5, podSpec("20", "1Gi", "nodeSelector: {kubernetes.io/hostname: big}"))},
			[]string{"1 kubernetes.io/hostname=big cpu=128"},
		},
		{
			"zones",
			[]trace.Object{plain, with("a", "nodeSelector: {topology.kubernetes.io/zone: eu-1a}"), with("b", required("{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [eu-1b]}]}"))},
			[]string{"1 topology.kubernetes.io/zone=eu-1b", "2 topology.kubernetes.io/zone=eu-1a"},
		},
		{
			"zone to avoid",
			[]trace.Object{with("a", "nodeSelector: {topology.kubernetes.io/zone: eu-1a}"), with("b", required("{matchExpressions: [{key: topology.kubernetes.io/zone, operator: NotIn, values: [eu-1a]}]}"))},
			[]string{"2", "2 topology.kubernetes.io/zone=eu-1a"},
		},
		{"a region", []trace.Object{plain, with("a", "nodeSelector: {topology.kubernetes.io/region: eu-1}")}, []string{"2 topology.kubernetes.io/region=eu-1"}},
		{
			"racks to spread over",
			[]trace.Object{deployment(t, "a", 4, podSpec("30", "1Gi", "topologySpreadConstraints: [{topologyKey: example.com/rack, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]"))},
			[]string{"1 example.com/rack=rack-c", "2 example.com/rack=rack-a", "2 example.com/rack=rack-b"},
		},
		{
			"as many zones as pods exclude each other",
			[]trace.Object{deployment(t, "a", 5, podSpec("1", "1Gi",
				"affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: topology.kubernetes.io/zone, labelSelector: {matchLabels: {app: a}}}]}}"))},
			[]string{"1 topology.kubernetes.io/zone=virtual-d", "1 topology.kubernetes.io/zone=virtual-e", "4"},
		},
		{
			"as many zones as a spread asks for",
			[]trace.Object{deployment(t, "a", 4, podSpec("1", "1Gi",
				"topologySpreadConstraints: [{topologyKey: topology.kubernetes.io/zone, maxSkew: 1, minDomains: 4, whenUnsatisfiable: DoNotSchedule}]"))},
			[]string{"1 topology.kubernetes.io/zone=virtual-d", "4"},
		},
		{
			"devices",
			[]trace.Object{plain, asking("a", 20, "nvidia.com/gpu: 1"), asking("b", 1, "amd.com/gpu: 16")},
			[]string{"2", "2 amd.com/gpu=16", "4 nvidia.com/gpu=8"},
		},
		{"one device", []trace.Object{plain, asking("a", 1, "example.com/fpga: 1")}, []string{"2", "2 example.com/fpga=1"}},
		{
			"devices with a label",
			[]trace.Object{plain, asking("a", 1, "nvidia.com/gpu: 4"), deployment(t, "b", 1, `{nodeSelector: {gpu: a100}, containers: [{resources: {limits: {nvidia.com/gpu: 1}}}]}`)},
			[]string{"2", "2 gpu=a100 nvidia.com/gpu=1", "2 nvidia.com/gpu=4"},
		},
		{"huge pages", []trace.Object{plain, asking("a", 3, "hugepages-2Mi: 512Mi, memory: 1Gi, cpu: 1")}, []string{"2", "2 hugepages-2Mi=1536Mi"}},
		{"scratch space", []trace.Object{plain, asking("a", 1, "ephemeral-storage: 3Ti")}, []string{"2", "2 ephemeral-storage=4Ti"}},
		{"pods larger than the shape", []trace.Object{plain, deployment(t, "a", 1, podSpec("40", "600Gi", ""))}, []string{"2", "2 cpu=64 memory=1Ti"}},
		{"nothing that a taint would need", []trace.Object{plain, with("a", "tolerations: [{key: nvidia.com/gpu, operator: Exists}]")}, []string{"2"}},
		{
			"daemon sets run where their pods may",
			[]trace.Object{plain, with("a", "nodeSelector: {gpu: 'yes'}"), daemonSet(t, "plugin", podSpec("1", "1Gi", "nodeSelector: {gpu: 'yes'}"))},
			[]string{"2", "2 gpu=yes"},
		},
		{
			"a daemon set for nodes that nothing else needs",
			[]trace.Object{plain, daemonSet(t, "edge", podSpec("1", "1Gi", "nodeSelector: {role: edge}"))},
			[]string{"1 role=edge", "2"},
		},
		{"host ports", []trace.Object{deployment(t, "a", 4, `{containers: [{ports: [{containerPort: 80, hostPort: 80}]}]}`)}, []string{"5"}},
		{"ports of the host's network", []trace.Object{deployment(t, "a", 4, `{hostNetwork: true, containers: [{ports: [{containerPort: 80}]}]}`)}, []string{"5"}},
		{"different host ports", []trace.Object{deployment(t, "a", 1, `{containers: [{ports: [{hostPort: 80}]}]}`), deployment(t, "b", 1, `{containers: [{ports: [{hostPort: 81}]}]}`)}, []string{"2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan, err := Prepare(Spec{}, survey(nil, applied(test.objects...)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, kinds(plan)); diff != "" {
				t.Error(diff)
			}
			if len(plan.Findings) > 0 {
				t.Errorf("got findings %v, want none", plan.Findings)
			}
		})
	}
}

func TestPrepare_AutoSaysWhatItGives(t *testing.T) {
	plan, err := Prepare(Spec{}, survey(nil, applied(
		deployment(t, "plain", 3, podSpec("1", "1Gi", "")),
		deployment(t, "gpu", 1, podSpec("1", "1Gi", "nodeSelector: {type: gpu}")),
		deployment(t, "pinned", 1, podSpec("1", "1Gi", "nodeSelector: {kubernetes.io/hostname: worker-7}")),
	)))
	if err != nil {
		t.Fatal(err)
	}
	const summary = "auto: 5 nodes: 2 of cpu=32,memory=128Gi,pods=110 (peak at 12:00 UTC: 3 pods, 3 cores, 3 GiB; limited by cpu; +1 for rollouts)"
	if plan.Summary != summary {
		t.Errorf("got %s, want %s", plan.Summary, summary)
	}
	want := []string{
		"2 nodes of cpu=32,memory=128Gi,pods=110,label.type=gpu for the pods of apps/v1.Deployment prod/gpu (peak at 12:00 UTC: 1 pod, 1 core, 1 GiB; limited by cpu; +1 for rollouts)",
		"1 node named worker-7 for the pods of apps/v1.Deployment prod/pinned, which select nodes by name",
	}
	if diff := cmp.Diff(want, plan.Given); diff != "" {
		t.Error(diff)
	}
	var tainted []string
	for _, node := range plan.Nodes {
		if len(node.Spec.Taints) > 0 {
			tainted = append(tainted, node.Name)
		}
	}
	if diff := cmp.Diff([]string{"node-0003", "node-0004", "worker-7"}, tainted); diff != "" {
		t.Errorf("nodes that the scheduler keeps for pods that need them: %s", diff)
	}
}

func TestPrepare_AutoCannotGive(t *testing.T) {
	plan, err := Prepare(Spec{}, survey(nil, applied(
		deployment(t, "plain", 3, podSpec("1", "1Gi", "")),
		deployment(t, "both", 1, podSpec("1", "1Gi", "nodeSelector: {a: b}, "+required("{matchExpressions: [{key: a, operator: In, values: [c]}]}"))),
		deployment(t, "huge", 1, podSpec("1", "1Pi", "")),
		deployment(t, "odd", 1, `{containers: [{resources: {requests: {gpu: 1}}}]}`),
	)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2"}, kinds(plan)); diff != "" {
		t.Error(diff)
	}
	if got, want := len(plan.Findings), 3; got != want {
		t.Errorf("got findings %v, want %d", plan.Findings, want)
	}
}
