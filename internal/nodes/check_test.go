package nodes

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/trace"
)

func mustShape(t *testing.T, text string) Shape {
	t.Helper()
	shape, err := ParseShape(text)
	if err != nil {
		t.Fatal(err)
	}
	return shape
}

func lines(findings []Finding) []string {
	var out []string
	for _, finding := range findings {
		out = append(out, finding.String())
	}
	return out
}

func TestCheck_Reasons(t *testing.T) {
	three := Build(3, mustShape(t, "cpu=8,memory=32Gi,label.disktype=ssd|hdd,label.slot=1"))
	// For each of the labels ssd and ipv6 there is a node that has it, but no node has both.
	three[0].Labels["ipv6"] = "no"
	three[1].Labels["ipv6"] = "yes"
	three[2].Spec.Unschedulable = true
	const never = "apps/v1.Deployment prod/api: 2 pods can never be scheduled: "
	affinity := func(terms string) string {
		return `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [` + terms + `]}}}`
	}
	tests := []struct {
		name, spec string
		want       string // after never; empty for nothing
	}{
		{"plain", podSpec("1", "1Gi", ""), ""},
		{"nodeSelector that fits", podSpec("1", "1Gi", "nodeSelector: {disktype: hdd, type: virtual}"), ""},
		{"nodeSelector without such a value", podSpec("1", "1Gi", "nodeSelector: {disktype: nvme}"), "needs nodeSelector disktype=nvme, which none of the 3 nodes has (nodes have disktype=hdd, ssd)"},
		{"nodeSelector without such a label", podSpec("1", "1Gi", "nodeSelector: {gpu: a100}"), "needs nodeSelector gpu=a100, which none of the 3 nodes has (no node has the label gpu)"},
		{"two nodeSelectors without such a label", podSpec("1", "1Gi", "nodeSelector: {gpu: a100, tpu: v4}"), "needs nodeSelector gpu=a100, which none of the 3 nodes has (no node has the label gpu); and it needs nodeSelector tpu=v4, which none of the 3 nodes has (no node has the label tpu)"},
		{"nodeSelector by host name", podSpec("1", "1Gi", "nodeSelector: {kubernetes.io/hostname: node-0002}"), ""},
		{"nodeSelector by host name that is cordoned", podSpec("1", "1Gi", "nodeSelector: {kubernetes.io/hostname: node-0003}"), "no single node satisfies all of its requirements: nodeSelector kubernetes.io/hostname=node-0003 (1 of 3), tolerated taints (2 of 3)"},
		{"nodeSelector by unknown host name", podSpec("1", "1Gi", "nodeSelector: {kubernetes.io/hostname: ip-10-0-0-1}"), "needs nodeSelector kubernetes.io/hostname=ip-10-0-0-1, which none of the 3 nodes has (nodes have kubernetes.io/hostname=node-0001, node-0002, node-0003)"},
		{"nodeName", podSpec("1", "1Gi", "nodeName: node-0001"), ""},
		{"nodeName unknown", podSpec("1", "1Gi", "nodeName: worker-7"), "is pinned to the node worker-7 by nodeName, which is not among the 3 nodes"},
		{"affinity that fits by its second term", podSpec("1", "1Gi", affinity(`{matchExpressions: [{key: gpu, operator: Exists}]}, {matchExpressions: [{key: slot, operator: Gt, values: ["0"]}]}`)), ""},
		{"affinity", podSpec("1", "1Gi", affinity(`{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [us-east-1a, us-east-1b]}]}`)), "needs node affinity to topology.kubernetes.io/zone in (us-east-1a, us-east-1b), which none of the 3 nodes has (nodes have topology.kubernetes.io/zone=virtual-a, virtual-b, virtual-c)"},
		{"affinity with everything", podSpec("1", "1Gi", affinity(`{matchExpressions: [{key: a, operator: NotIn, values: [x]}, {key: slot, operator: DoesNotExist}]}, {matchExpressions: [{key: slot, operator: Lt, values: ["1"]}, {key: b, operator: Exists}]}, {matchFields: [{key: metadata.name, operator: In, values: [worker-7]}]}, {}`)), "needs node affinity to a not in (x) and not slot or slot < 1 and b or metadata.name in (worker-7) or nothing (an empty term matches no node), which none of the 3 nodes has"},
		{"affinity by name", podSpec("1", "1Gi", affinity(`{matchFields: [{key: metadata.name, operator: In, values: [node-0001]}]}`)), ""},
		{"too large", podSpec("9", "33Gi", ""), "requests 9 cores, and the largest of the 3 nodes has 8 cores; and it requests 33 GiB, and the largest of the 3 nodes has 32 GiB"},
		{"extended resource", `{containers: [{resources: {limits: {nvidia.com/gpu: 2}}}]}`, "requests 2 nvidia.com/gpu, and none of the 3 nodes has any nvidia.com/gpu"},
		{"together nowhere", podSpec("1", "1Gi", `nodeSelector: {disktype: ssd, ipv6: "yes"}`), "no single node satisfies all of its requirements: nodeSelector disktype=ssd (2 of 3), nodeSelector ipv6=yes (1 of 3), tolerated taints (2 of 3)"},
		{"pod affinity by a label nobody has", podSpec("1", "1Gi", `affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: rack, labelSelector: {}}]}}`), "has a required pod affinity by rack, and no node has that label"},
		{"pod anti-affinity by a label nobody has", podSpec("1", "1Gi", `affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: rack, labelSelector: {matchLabels: {app: api}}}]}}`), ""},
		{"spread over a label nobody has", podSpec("1", "1Gi", `topologySpreadConstraints: [{topologyKey: rack, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]`), "has a required topology spread over rack, and no node has that label"},
		{"spread over a label nobody has, if possible", podSpec("1", "1Gi", `topologySpreadConstraints: [{topologyKey: rack, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway}]`), ""},
		{"spread over zones", podSpec("1", "1Gi", `topologySpreadConstraints: [{topologyKey: topology.kubernetes.io/zone, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]`), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []string
			if test.want != "" {
				want = []string{never + test.want}
			}
			got := lines(Check(three, survey(nil, applied(deployment(t, "api", 2, test.spec)))))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheck_Taints(t *testing.T) {
	demand := survey(nil, applied(
		deployment(t, "api", 1, podSpec("1", "1Gi", "")),
		deployment(t, "db", 1, podSpec("1", "1Gi", "tolerations: [{key: dedicated, value: db}]")),
		daemonSet(t, "agent", podSpec("1", "1Gi", "tolerations: [{operator: Exists}]")),
	))
	nodes := Build(4, mustShape(t, "taint.dedicated=db:NoSchedule,taint.slow=:PreferNoSchedule"))
	want := []string{"apps/v1.Deployment prod/api: 1 pod can never be scheduled: does not tolerate the taint dedicated=db:NoSchedule of the 4 nodes"}
	if diff := cmp.Diff(want, lines(Check(nodes, demand))); diff != "" {
		t.Error(diff)
	}
	nodes[0].Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoExecute}}
	want = []string{"apps/v1.Deployment prod/api: 1 pod can never be scheduled: tolerates none of the 4 nodes: their taints are dedicated=db:NoSchedule (3 nodes), gpu:NoExecute (1 node)"}
	if diff := cmp.Diff(want, lines(Check(nodes, demand))); diff != "" {
		t.Error(diff)
	}
}

func TestCheck_OneNode(t *testing.T) {
	demand := survey(nil, applied(deployment(t, "api", 1, podSpec("99", "1Gi", "nodeSelector: {a: b}"))))
	want := []string{"apps/v1.Deployment prod/api: 1 pod can never be scheduled: needs nodeSelector a=b, which the node does not have (no node has the label a); and it requests 99 cores, and the node has 32 cores"}
	if diff := cmp.Diff(want, lines(Check(Build(1, Shape{}), demand))); diff != "" {
		t.Error(diff)
	}
}

func TestCheck_OwnersTogether(t *testing.T) {
	var objects []trace.Object
	for i := range 5 {
		objects = append(objects, deployment(t, fmt.Sprintf("web-%d", i), i+1, podSpec("99", "1Gi", "")))
	}
	objects = append(objects, barePod(t, "one", podSpec("99", "1Gi", "")), deployment(t, "fits", 3, podSpec("1", "1Gi", "")))
	got := Check(Build(2, Shape{}), survey(nil, applied(objects...)))
	want := []string{"apps/v1.Deployment prod/web-0, prod/web-1, prod/web-2 and 3 more: 16 pods can never be scheduled: requests 99 cores, and the largest of the 2 nodes has 32 cores"}
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Error(diff)
	}
	if got, want := len(got[0].Owners), 6; got != want {
		t.Errorf("got %d owners, want %d", got, want)
	}
}

func TestCheck_TooManyOfAKind(t *testing.T) {
	apart := func(key string) string {
		return podSpec("1", "1Gi", `affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: `+key+`, labelSelector: {matchLabels: {app: api}}}]}}`)
	}
	for key, want := range map[string]string{
		"kubernetes.io/hostname":      "apps/v1.Deployment prod/api: 2 pods can never be scheduled: has anti-affinity to its own pods by kubernetes.io/hostname: 6 pods need a place each, and there are only 4 places",
		"topology.kubernetes.io/zone": "apps/v1.Deployment prod/api: 3 pods can never be scheduled: has anti-affinity to its own pods by topology.kubernetes.io/zone: 6 pods need a place each, and there are only 3 places",
	} {
		got := Check(Build(4, Shape{}), survey(nil, applied(deployment(t, "api", 6, apart(key)), deployment(t, "web", 6, apart(key)))))
		if diff := cmp.Diff([]string{want}, lines(got)); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

func TestCheck_HostPorts(t *testing.T) {
	demand := survey(nil, applied(
		deployment(t, "ingress", 3, `{containers: [{ports: [{containerPort: 80, hostPort: 80}]}]}`),
		deployment(t, "dns", 2, `{hostNetwork: true, containers: [{ports: [{containerPort: 53, protocol: UDP}]}]}`),
		deployment(t, "inside", 3, `{containers: [{ports: [{containerPort: 80}]}]}`),
	))
	want := []string{"apps/v1.Deployment prod/ingress: 1 pod can never be scheduled: uses port 80/TCP of its node: 3 pods need a node each, and only 2 nodes can run them"}
	if diff := cmp.Diff(want, lines(Check(Build(2, Shape{}), demand))); diff != "" {
		t.Error(diff)
	}
}
