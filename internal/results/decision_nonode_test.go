package results

import (
	"strings"
	"testing"
)

func TestShortReason(t *testing.T) {
	const requirements = "requirements=karpenter.sh/capacity-type In [on-demand], kubernetes.io/arch In [amd64], team Exists, "
	for reason, want := range map[string]string{
		"": "",
		"nodepool requirements filtered out all available instance types":                                                                                                                    "nodepool requirements filtered out all available instance types",
		"no instance type has enough resources, " + requirements + `resources={"cpu":"17","pods":"1"} (NodePool=general)`:                                                                    `no instance type has enough resources, resources={"cpu":"17","pods":"1"} (NodePool=general)`,
		"no instance type met all requirements, " + requirements + `resources={} (NodePool=a); did not tolerate taint (taint=x) (NodePool=b); did not tolerate taint (taint=x) (NodePool=b)`: "no instance type met all requirements, resources={} (NodePool=a); did not tolerate taint (taint=x) (NodePool=b)",
	} {
		if got := shortReason(reason); got != want {
			t.Errorf("%s: got %q, want %q", reason, got, want)
		}
	}
	if got := shortReason(strings.Repeat("long ", 100)); len([]rune(got)) != maxNoNode {
		t.Errorf("%d characters, want %d", len([]rune(got)), maxNoNode)
	}
}

// Deviations have the autoscaler's last reason for a pod without a node, not the scheduler's.
func TestRecorder_NoNode(t *testing.T) {
	r := NewRecorder()
	pod := testPod("large", ownedBy("ReplicaSet", "web"), unschedulable("0/1 nodes are available: 1 Insufficient cpu."))
	r.PodChanged(at(1), pod)
	name := pod.Namespace + "/" + pod.Name
	r.Decided(Decision{Time: at(2), Kind: NoNode, Pods: []string{name}, Message: "the first"})
	r.Decided(Decision{Time: at(3), Kind: NoNode, Pods: []string{name}, Message: "no instance type has enough resources (NodePool=general)"})
	r.Decided(Decision{Time: at(200), Kind: NoNode, Pods: []string{name}, Message: "after the end"})
	got := r.Run(info(100)).Summary.Outcome.Deviations.First
	const want = "1 pod never got a node: the autoscaler found none: no instance type has enough resources (NodePool=general)"
	if len(got) != 1 || got[0].Reason != want || got[0].Action != autoscalerAction {
		t.Errorf("got %+v, want the reason %q", got, want)
	}
}
