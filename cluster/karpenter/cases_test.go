package karpenter

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	sigsyaml "sigs.k8s.io/yaml"
)

// waitTime bounds how long a case takes.
const waitTime = 2 * time.Minute

// labelCase is on the nodes of a case's pools, and selected by its pods.
const labelCase = "case"

// pod is a kind of pods of a case.
type pod struct {
	count int
	cpu   string
	spec  func(*corev1.Pod)
}

// A pool gives pods the nodes that its requirements say, the cheapest that fit.
func TestPools(t *testing.T) {
	t.Parallel()
	selecting := func(key, value string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.NodeSelector[key] = value }
	}
	tolerating := func(key string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Tolerations = []corev1.Toleration{{Key: key, Operator: corev1.TolerationOpExists}}
		}
	}
	spread := func(p *corev1.Pod) {
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule,
			LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelCase: p.Labels[labelCase]}},
		}}
	}
	apart := func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelCase: p.Labels[labelCase]}},
		}}}}
	}
	spreadOver := func(key string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			spread(p)
			p.Spec.TopologySpreadConstraints[0].TopologyKey = key
		}
	}
	together := func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{labelCase: p.Labels[labelCase]}},
		}}}}
	}
	notIn := func(key string, values ...string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
					{Key: key, Operator: corev1.NodeSelectorOpNotIn, Values: values},
				}}},
			}}}
		}
	}
	requesting := func(name corev1.ResourceName, quantity string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests[name] = resource.MustParse(quantity) }
	}
	onPort := func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80}}
	}
	only := func(name string) string {
		return fmt.Sprintf(`[{key: node.kubernetes.io/instance-type, operator: In, values: [%s]}]`, name)
	}
	gpu := func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"nvidia.com/gpu": *one()}
		p.Spec.Containers[0].Resources.Requests["nvidia.com/gpu"] = *one()
	}
	for name, c := range map[string]struct {
		// pools are the specifications of node pools in YAML: requirements, taints and so on, each
		// appended to what all have in common.
		pools []map[string]string
		pods  []pod
		// daemon is the CPU of a DaemonSet's pods, if there is one.
		daemon string
		// want are the nodes: type, capacity type, and pool if there are several.
		want []string
		// waiting is how many pods never get a node.
		waiting int
	}{
		"cheapest type that fits":  {pods: []pod{{1, "3", nil}}, want: []string{"amd-4 spot"}},
		"several pods on one node": {pods: []pod{{5, "1", nil}}, want: []string{"amd-8 spot"}},
		"on-demand only": {
			pools: []map[string]string{{"requirements": `[{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"amd-2 on-demand"},
		},
		"one instance type": {
			pools: []map[string]string{{"requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-16]}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"amd-16 spot"},
		},
		"a label of types": {
			pools: []map[string]string{{"requirements": `[{key: example.com/family, operator: In, values: [arm]}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"arm-4 spot"},
		},
		"not some types": {
			pools: []map[string]string{{"requirements": `[{key: node.kubernetes.io/instance-type, operator: NotIn, values: [amd-2, arm-4]}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"amd-4 spot"},
		},
		"an architecture that a pod selects": {pods: []pod{{1, "1", selecting(corev1.LabelArchStable, "arm64")}}, want: []string{"arm-4 spot"}},
		"a capacity type that a pod selects": {pods: []pod{{1, "1", selecting("karpenter.sh/capacity-type", "on-demand")}}, want: []string{"amd-2 on-demand"}},
		"GPUs":                               {pods: []pod{{1, "1", gpu}}, want: []string{"gpu-8 spot"}},
		"spread over zones":                  {pods: []pod{{2, "1", spread}}, want: []string{"amd-2 spot", "amd-2 spot"}},
		"apart by anti-affinity":             {pods: []pod{{3, "500m", apart}}, want: []string{"amd-2 spot", "amd-2 spot", "amd-2 spot"}},
		"taints, tolerated": {
			pools: []map[string]string{{"taints": `[{key: example.com/only, effect: NoSchedule}]`}},
			pods:  []pod{{1, "1", tolerating("example.com/only")}}, want: []string{"amd-2 spot"},
		},
		"taints, not tolerated": {
			pools: []map[string]string{{"taints": `[{key: example.com/only, effect: NoSchedule}]`}},
			pods:  []pod{{1, "1", nil}}, waiting: 1,
		},
		"limits": {
			pools: []map[string]string{{"limits": `{cpu: "2"}`, "requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2]}]`}},
			pods:  []pod{{2, "1500m", nil}}, want: []string{"amd-2 spot"}, waiting: 1,
		},
		"weights": {
			pools: []map[string]string{
				{"weight": "1", "requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2]}]`},
				{"weight": "50", "requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-8]}]`},
			},
			pods: []pod{{1, "1", nil}}, want: []string{"amd-8 spot"},
		},
		"an instance type that a pod selects": {pods: []pod{{1, "1", selecting(corev1.LabelInstanceTypeStable, "amd-8")}}, want: []string{"amd-8 spot"}},
		"a zone that a pod selects":           {pods: []pod{{1, "1", selecting(corev1.LabelTopologyZone, "zone-b")}}, want: []string{"amd-2 spot"}},
		"a zone that does not exist":          {pods: []pod{{1, "1", selecting(corev1.LabelTopologyZone, "zone-z")}}, waiting: 1},
		"types that a pod's affinity excludes": {
			pods: []pod{{1, "1", notIn(corev1.LabelInstanceTypeStable, "amd-2", "arm-4")}}, want: []string{"amd-4 spot"},
		},
		"zones that a pool excludes": {
			pools: []map[string]string{{"requirements": `[{key: topology.kubernetes.io/zone, operator: NotIn, values: [zone-a]}]`}},
			pods:  []pod{{1, "1", selecting(corev1.LabelTopologyZone, "zone-a")}}, waiting: 1,
		},
		"a label that types must have": {
			pools: []map[string]string{{"requirements": `[{key: example.com/family, operator: Exists}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"amd-2 spot"},
		},
		"a label that types must not have": {
			pools: []map[string]string{{"requirements": `[{key: example.com/family, operator: DoesNotExist}]`}},
			pods:  []pod{{1, "1", nil}}, waiting: 1,
		},
		"a label of a pool that a pod selects": {
			pools: []map[string]string{
				{"requirements": `[{key: example.com/team, operator: In, values: [a]}, {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]`},
				{"requirements": `[{key: example.com/team, operator: In, values: [b]}]`},
			},
			pods: []pod{{1, "1", selecting("example.com/team", "a")}}, want: []string{"amd-2 on-demand"},
		},
		"memory":            {pods: []pod{{1, "1", requesting(corev1.ResourceMemory, "10Gi")}}, want: []string{"amd-4 spot"}},
		"ephemeral storage": {pods: []pod{{2, "500m", requesting(corev1.ResourceEphemeralStorage, "80Gi")}}, want: []string{"amd-2 spot", "amd-2 spot"}},
		"host ports":        {pods: []pod{{2, "500m", onPort}}, want: []string{"amd-2 spot", "amd-2 spot"}},
		"together by affinity": {
			pods: []pod{{2, "1500m", together}}, want: []string{"amd-4 spot"},
		},
		"spread over zones, several in each": {pods: []pod{{4, "1", spread}}, want: []string{"amd-4 spot", "amd-4 spot"}},
		"spread over capacity types": {
			pods: []pod{{2, "1", spreadOver("karpenter.sh/capacity-type")}}, want: []string{"amd-2 on-demand", "amd-2 spot"},
		},
		"taints that only advise": {
			pools: []map[string]string{{"taints": `[{key: example.com/rather-not, effect: PreferNoSchedule}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"amd-2 spot"},
		},
		"startup taints": {
			pools: []map[string]string{{"startupTaints": `[{key: example.com/not-ready, effect: NoExecute}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"amd-2 spot"},
		},
		"weights, the first pool at its limit": {
			pools: []map[string]string{
				{"weight": "50", "limits": `{cpu: "8"}`, "requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-8]}]`},
				{"weight": "1", "requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-16]}]`},
			},
			pods: []pod{{2, "7", nil}}, want: []string{"amd-16 spot", "amd-8 spot"},
		},
		"a limit of GPUs": {
			pools: []map[string]string{{"limits": `{nvidia.com/gpu: "0"}`}}, pods: []pod{{1, "1", gpu}}, waiting: 1,
		},
		"DaemonSets count": {daemon: "500m", pods: []pod{{1, "1500m", nil}}, want: []string{"amd-4 spot"}},
		"no spot capacity": {
			pools: []map[string]string{{"class": "no-spot", "requirements": only("short-2")}}, pods: []pod{{1, "1", nil}}, want: []string{"short-2 on-demand"},
		},
		"no capacity in a zone": {
			pools: []map[string]string{{"class": "no-zone-a", "requirements": only("short-3")}}, pods: []pod{{1, "1", nil}}, want: []string{"short-3 spot"},
		},
		"no capacity in the zone that a pod needs": {
			pools: []map[string]string{{"class": "no-zone-a", "requirements": only("short-3")}},
			pods:  []pod{{1, "1", selecting(corev1.LabelTopologyZone, "zone-a")}}, waiting: 1,
		},
		"no type fits": {pods: []pod{{1, "17", nil}}, waiting: 1},
		"minValues": {
			pools: []map[string]string{{"requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2, amd-4, amd-8], minValues: 3}]`}},
			pods:  []pod{{1, "1", nil}}, want: []string{"amd-2 spot"},
		},
		"minValues that cannot be met": {
			pools: []map[string]string{{"requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2, amd-4], minValues: 2}]`}},
			pods:  []pod{{1, "3", nil}}, waiting: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := "c" + strings.ToLower(strings.NewReplacer(" ", "", "-", "", ",", "", "'", "").Replace(name))
			if len(c.pools) == 0 {
				c.pools = []map[string]string{{}}
			}
			if c.daemon != "" {
				createDaemonSet(t, id, c.daemon)
			}
			total := 0
			for i, p := range c.pods {
				createPods(t, id, i, p)
				total += p.count
			}
			// Karpenter plans for all pods at once if they wait before there is a pool.
			awaitUnschedulable(t, id, total)
			for i, fields := range c.pools {
				createPool(t, fmt.Sprintf("%s-%d", id, i), id, fields)
			}
			if c.daemon != "" {
				total += len(c.want)
			}
			awaitRunning(t, id, total-c.waiting)
			if c.waiting > 0 {
				time.Sleep(settleTime)
				awaitRunning(t, id, total-c.waiting)
			}
			var got []string
			for _, n := range nodesOf(t, id) {
				got = append(got, n.Labels[corev1.LabelInstanceTypeStable]+" "+n.Labels["karpenter.sh/capacity-type"])
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("nodes %q, want %q", got, c.want)
			}
		})
	}
}

// settleTime is how long Karpenter has to do what it must not.
const settleTime = 15 * time.Second

// createPool creates a pool. policy, consolidateAfter, budgets, weight and limits are of the pool,
// other fields of its nodes.
func createPool(t *testing.T, name, id string, fields map[string]string) {
	t.Helper()
	text := fmt.Sprintf(`
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: %q}
spec:
  disruption: {consolidationPolicy: %s, consolidateAfter: %s, budgets: %s}
  template:
    metadata: {labels: {%s: %q}}
    spec:
      nodeClassRef: {group: simkube.io, kind: NodeClass, name: %s}
`, name, withDefault(fields["policy"], "WhenEmptyOrUnderutilized"), withDefault(fields["consolidateAfter"], "Never"),
		withDefault(fields["budgets"], `[{nodes: "100%"}]`), labelCase, id, withDefault(fields["class"], "fast"))
	text += "      requirements: " + withDefault(fields["requirements"], "[]") + "\n"
	for _, field := range []string{"taints", "startupTaints", "expireAfter"} {
		if value := fields[field]; value != "" {
			text += "      " + field + ": " + value + "\n"
		}
	}
	for _, field := range []string{"weight", "limits"} {
		if value := fields[field]; value != "" {
			text += "  " + field + ": " + value + "\n"
		}
	}
	object := &unstructured.Unstructured{}
	if err := sigsyaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.Resource(poolResource).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := objects.Resource(poolResource).Delete(background(t), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func withDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func createPods(t *testing.T, id string, group int, p pod) {
	t.Helper()
	pods := kube.CoreV1().Pods("default")
	for i := range p.count {
		object := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d-%d", id, group, i), Labels: map[string]string{labelCase: id}},
			Spec: corev1.PodSpec{
				NodeSelector: map[string]string{labelCase: id},
				Containers: []corev1.Container{{
					Name: "main", Image: "example.com/main", Resources: corev1.ResourceRequirements{Requests: maps.Clone(cpus(p.cpu))},
				}},
			},
		}
		if p.spec != nil {
			p.spec(object)
		}
		if _, err := pods.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = pods.Delete(background(t), object.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
		})
	}
}

// awaitRunning waits until as many pods of a case run, and fails if more do.
func awaitRunning(t *testing.T, id string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d running pods", want), func(ctx context.Context) (bool, error) {
		pods, err := kube.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: labelCase + "=" + id})
		if err != nil {
			return false, err
		}
		running := 0
		for i := range pods.Items {
			if pods.Items[i].Status.Phase == corev1.PodRunning {
				running++
			}
		}
		return running == want, nil
	})
}

// awaitUnschedulable waits until the scheduler has found no node for as many pods of a case.
// Karpenter plans for a pod from then on.
func awaitUnschedulable(t *testing.T, id string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d pods to be unschedulable", want), func(ctx context.Context) (bool, error) {
		pods, err := kube.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: labelCase + "=" + id})
		if err != nil {
			return false, err
		}
		found := 0
		for i := range pods.Items {
			if slices.ContainsFunc(pods.Items[i].Status.Conditions, func(c corev1.PodCondition) bool {
				return c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable
			}) {
				found++
			}
		}
		return found >= want, nil
	})
}

func nodesOf(t *testing.T, id string) []corev1.Node {
	t.Helper()
	nodes, err := kube.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: labelCase + "=" + id})
	if err != nil {
		t.Fatal(err)
	}
	return nodes.Items
}

func eventually(t *testing.T, what string, holds func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, waitTime, true, holds); err != nil {
		t.Fatalf("wait for %s: %v", what, err)
	}
}
