package results

import (
	"strings"
	"testing"
)

func TestNoNodeReason(t *testing.T) {
	filtered := func(text, pool, more string) string {
		return text + ", requirements=karpenter.sh/initialized In [true], karpenter.sh/nodepool In [" + pool + "], karpenter.sh/registered In [true]" +
			more + ", simkube.io/nodeclass In [default], topology.kubernetes.io/zone In [a b], " + `resources={"cpu":"17","memory":"1Gi","pods":"1"}`
	}
	const (
		resources    = "no instance type has enough resources"
		requirements = "no instance type met all requirements"
		limits       = "all available instance types exceed limits for nodepool"
	)
	for name, c := range map[string]struct {
		why  noNodeReason
		want string
	}{
		"none":                     {},
		"a message that is short":  {noNodeReason{message: "failed scheduling pod"}, "failed scheduling pod"},
		"resources":                {noNodeReason{message: filtered(resources, "p", "")}, "NodePool p: " + resources + " (cpu 17, memory 1Gi)"},
		"requirements":             {noNodeReason{message: filtered(requirements, "p", "")}, "NodePool p: " + requirements + " (topology.kubernetes.io/zone In [a b])"},
		"a hint":                   {noNodeReason{message: filtered(resources, "p", "") + " (m vs M typo?)"}, "NodePool p: " + resources + " (cpu 17, memory 1Gi (m vs M typo?))"},
		"resources of DaemonSets":  {noNodeReason{message: resources + `, requirements=, resources=min={"cpu":"1"}, max={"cpu":"2"}`}, resources + " (cpu 2)"},
		"pools, the same of each":  {noNodeReason{message: filtered(resources, "p", "") + "; " + filtered(resources, "q", "")}, "NodePools p and q: " + resources + " (cpu 17, memory 1Gi)"},
		"pools, something of each": {noNodeReason{message: "did not tolerate taint (taint=x); " + limits + " (NodePool=p)"}, "did not tolerate taint (taint=x); NodePool p: " + limits},
		"no capacity of the pool":  {noNodeReason{message: limits + " (NodePool=p)", lacking: []string{"p", "q"}}, "NodePool p: " + lackOfCapacity + "; " + limits},
		"no capacity of one pool":  {noNodeReason{message: "did not tolerate taint (taint=x); " + limits + " (NodePool=p)", meant: []string{"p"}}, "NodePool p: " + lackOfCapacity + "; " + limits + "; did not tolerate taint (taint=x)"},
		"no capacity of any pool":  {noNodeReason{message: noPool, lacking: []string{"p", "q"}}, "NodePools p and q: " + lackOfCapacity + "; " + noPool},
		"no capacity, no message":  {noNodeReason{meant: []string{"q", "p"}}, "NodePools p and q: " + lackOfCapacity},
		"many requirements": {
			noNodeReason{message: filtered(requirements, "p", ", "+strings.Repeat("label Exists, ", 20)+"z Exists")},
			"NodePool p: " + requirements + " (" + strings.Repeat("label Exists, ", 7) + "l…)",
		},
		"many pools": {
			noNodeReason{message: strings.Repeat("a ", 80) + "; " + strings.Repeat("b ", 80) + "; c"},
			strings.Repeat("a ", 80) + "; and 2 more reasons",
		},
	} {
		if got := c.why.short(); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	long := noNodeReason{message: strings.Repeat("long ", 100)}
	if got := []rune(long.short()); len(got) != maxNoNode {
		t.Errorf("%d characters, want %d", len(got), maxNoNode)
	}
}

// Deviations have the autoscaler's last reason for a pod without a node, not the scheduler's.
func TestRecorder_NoNode(t *testing.T) {
	pod := testPod("large", ownedBy("ReplicaSet", "web"), unschedulable("0/1 nodes are available: 1 Insufficient cpu."))
	name := pod.Namespace + "/" + pod.Name
	noNode := func(seconds float64, message string) Decision {
		return Decision{Time: at(seconds), Kind: NoNode, Pods: []string{name}, Message: message}
	}
	node := func(seconds float64, kind DecisionKind) Decision {
		return Decision{Time: at(seconds), Kind: kind, Nodes: []string{"node-a"}, NodePool: "general"}
	}
	meant := Decision{Time: at(2), Kind: Meant, Nodes: []string{"node-a"}, Pods: []string{name}}
	other := noNode(4, "another pod")
	other.Pods = []string{"another"}
	const scheduler = "0/1 nodes are available: 1 Insufficient cpu."
	for what, c := range map[string]struct {
		decisions []Decision
		want      string // the reason
		action    string
	}{
		"no decision":             {nil, scheduler, placeAction},
		"of another pod":          {[]Decision{other}, scheduler, placeAction},
		"the last of several":     {[]Decision{noNode(2, "the first"), noNode(3, "the last"), other, noNode(2000, "after the end")}, autoscalerFound + "the last", autoscalerAction},
		"a node that was not had": {[]Decision{meant, node(3, NoCapacity)}, autoscalerFound + "NodePool general: " + lackOfCapacity, autoscalerAction},
		"none after that": {
			[]Decision{node(3, NoCapacity), noNode(100, noPool)},
			autoscalerFound + "NodePool general: " + lackOfCapacity + "; " + noPool, autoscalerAction,
		},
		"none long after that":    {[]Decision{node(3, NoCapacity), noNode(190, noPool)}, autoscalerFound + noPool, autoscalerAction},
		"a node that is launched": {[]Decision{noNode(2, "the first"), meant, node(3, Launched)}, scheduler, placeAction},
	} {
		r := NewRecorder()
		r.PodChanged(at(1), pod)
		for _, d := range c.decisions {
			r.Decided(d)
		}
		got := r.Run(info(1000)).Summary.Outcome.Deviations.First
		if want := "1 pod never got a node: " + c.want; len(got) != 1 || got[0].Reason != want || got[0].Action != c.action {
			t.Errorf("%s: got %+v, want the reason %q", what, got, want)
		}
	}
}
