package nodes

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

func recordedNodeObject(t *testing.T, name, spec, status string) trace.Object {
	return object(t, fmt.Sprintf(`{apiVersion: v1, kind: Node, metadata: {name: %s}, spec: {%s}, status: {%s}}`, name, spec, status))
}

func TestPrepare_AutoUsesTheNodesOfTheTrace(t *testing.T) {
	const size = "allocatable: {cpu: '4', memory: 8Gi, pods: '10'}"
	ready, down := size+", conditions: [{type: Ready, status: 'True'}]", size+", conditions: [{type: Ready, status: 'False'}]"
	nodes := []trace.Object{
		recordedNodeObject(t, "a", "", down), // ready in its next version
		recordedNodeObject(t, "b", "", ""),
		recordedNodeObject(t, "node-0001", "unschedulable: true", ready),
		recordedNodeObject(t, "down", "", ready),
	}
	later := []trace.Object{recordedNodeObject(t, "a", "", ready), recordedNodeObject(t, "down", "", down)}
	notes := []string{
		"nodes of the trace: left out 1 node, not ready when recorded: down",
		"nodes of the trace: 1 node cordoned when recorded, which run only pods of DaemonSets: node-0001",
	}
	tests := []struct {
		name    string
		object  trace.Object
		names   []string
		summary string
		given   string
	}{
		{
			"that are enough", deployment(t, "api", 9, podSpec("4", "1Gi", "")),
			[]string{"a", "b", "node-0001"},
			"auto: 3 nodes", "3 nodes of the trace: 40 cores, 144 GiB, 130 pods",
		},
		{
			"and more if they are not", deployment(t, "api", 10, podSpec("4", "1Gi", "")),
			[]string{"a", "b", "node-0001", "node-0002", "node-0003", "node-0004"},
			"auto: 6 nodes: 3 of cpu=32,memory=128Gi,pods=110 (peak at 12:01 UTC: 10 pods, 40 cores, 10 GiB; limited by cpu; +1 for rollouts)",
			"3 nodes of the trace: 40 cores, 144 GiB, 130 pods",
		},
		{
			"and none of the name of one that is cordoned", barePod(t, "one", podSpec("1", "1Gi", "nodeSelector: {kubernetes.io/hostname: node-0001}")),
			[]string{"a", "b", "node-0001"},
			"auto: 3 nodes", "3 nodes of the trace: 40 cores, 144 GiB, 130 pods",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan, err := Prepare(Spec{}, survey(nil, applied(nodes...), applied(append(later, test.object)...)))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, node := range plan.Nodes {
				names = append(names, node.Name)
			}
			if diff := cmp.Diff(test.names, names); diff != "" {
				t.Error(diff)
			}
			if plan.Summary != test.summary {
				t.Errorf("got summary %s, want %s", plan.Summary, test.summary)
			}
			if diff := cmp.Diff(append(notes[:2:2], test.given), plan.Given); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrepare_OtherNodesThanThoseOfTheTrace(t *testing.T) {
	plan, err := Prepare(Spec{Count: 2}, survey(nil, applied(recordedNodeObject(t, "a", "", ""))))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 node of the trace not used: others were chosen"}, plan.Given); diff != "" {
		t.Error(diff)
	}
	if got, want := len(plan.Nodes), 2; got != want {
		t.Errorf("got %d nodes, want %d", got, want)
	}
}

func TestPrepare_Recorded(t *testing.T) {
	const size = "allocatable: {cpu: '4', memory: 8Gi, pods: '10'}"
	demand := survey(nil,
		applied(recordedNodeObject(t, "a", "", size), recordedNodeObject(t, "b", "", size), deployment(t, "api", 9, podSpec("4", "1Gi", ""))),
		applied(recordedNodeObject(t, "a", "", size), recordedNodeObject(t, "later", "", size)))
	for name, test := range map[string]struct {
		demand  *Demand
		summary string
		names   []string
	}{
		"all":          {demand, "3 nodes of the trace: 12 cores, 24 GiB, 30 pods", []string{"a", "b", "later"}},
		"at the start": {demand.AtStart(), "2 nodes of the trace: 8 cores, 16 GiB, 20 pods", []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := Prepare(Spec{Recorded: true}, test.demand)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, node := range plan.Nodes {
				names = append(names, node.Name)
			}
			if diff := cmp.Diff(test.names, names); diff != "" {
				t.Error(diff)
			}
			if plan.Summary != test.summary || len(plan.Given) != 0 || len(plan.Shortages) == 0 {
				t.Errorf("got summary %q, notes %q, shortages %q; want %q, none, and some", plan.Summary, plan.Given, plan.Shortages, test.summary)
			}
		})
	}
}

func TestPrepare_NoRecordedNodes(t *testing.T) {
	down := recordedNodeObject(t, "down", "", "conditions: [{type: Ready, status: 'False'}]")
	for want, demand := range map[string]*Demand{
		"the trace has no nodes: record them (v1.Node in the tracer's configuration), or give a file of Node manifests": survey(nil, applied()),
		"no node of the trace can be simulated: nodes of the trace: left out 1 node, not ready when recorded: down":     survey(nil, applied(down)),
	} {
		if _, err := Prepare(Spec{Recorded: true}, demand); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
