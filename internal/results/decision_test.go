package results

import (
	"path/filepath"
	"reflect"
	"testing"
)

// Decisions become rows, the causes of nodes, and counts; and a folder with them reads as written.
func TestDecisions(t *testing.T) {
	t.Parallel()
	r := NewRecorder()
	for _, name := range []string{"a", "b"} {
		r.NodeChanged(at(2), testNode(name))
	}
	r.Decided(Decision{Time: at(1), Kind: Launched, Reason: "Provisioned", Nodes: []string{"a"}, InstanceType: "m-2", PricePerHour: 0.5})
	r.Decided(Decision{Kind: Meant, Nodes: []string{"a"}, Pods: []string{"default/two"}})
	r.Decided(Decision{Kind: Meant, Nodes: []string{"a"}, Pods: []string{"default/one"}})
	r.Decided(Decision{Kind: Meant, Nodes: []string{"a"}, Pods: []string{"default/one"}})
	r.Decided(Decision{Time: at(5), Kind: Replaced, Reason: "Underutilized", Nodes: []string{"a"}, Replacements: []string{"b"}, SavedPerHour: 0.2, PodCount: 2})
	r.Decided(Decision{Time: at(5), Kind: Launched, Reason: "Provisioned", Nodes: []string{"b"}})
	r.Decided(Decision{Time: at(3), Kind: NoNode, Pods: []string{"default/large"}, PodCount: 1, Message: "no instance type fits"})
	r.Decided(Decision{Time: at(99), Kind: NoNode, Pods: []string{"default/late"}, PodCount: 1})
	run := r.Run(Info{Times: TimeMap{ClockStart: start, TraceStart: start, Speed: 1}, End: at(10)})

	var got []string
	for _, row := range run.Decisions {
		got = append(got, row.Decision+" "+row.Reason)
	}
	want := []string{"launched Provisioned", "no node ", "launched Replacement", "replaced Underutilized"}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("decisions %q, want %q", got, want)
	}
	if first := run.Decisions[0]; first.PodCount != 2 || !reflect.DeepEqual(first.Pods, []string{"default/one", "default/two"}) {
		t.Errorf("launched for %d pods %q, want default/one and default/two", first.PodCount, first.Pods)
	}
	for _, row := range run.Nodes {
		switch row.Node {
		case "a":
			if row.LaunchReason != "Provisioned" || row.RemovalReason != "Underutilized" || row.ReplacedBy[0] != "b" || row.SavedPerHour != 0.2 {
				t.Errorf("node a: %+v", row)
			}
		case "b":
			if row.LaunchReason != "Replacement" || row.RemovalReason != "" {
				t.Errorf("node b: %+v", row)
			}
		}
	}
	counts := run.Summary.Timing.Decisions
	if len(counts) != 4 || counts[2] != (DecisionCount{Decision: Replaced, Reason: "Underutilized", Count: 1, Nodes: 1, Pods: 2, SavedPerHour: 0.2}) {
		t.Errorf("counts %+v", counts)
	}

	dir := filepath.Join(t.TempDir(), "out")
	if err := Write(dir, run, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	read, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read.Decisions, run.Decisions) || !reflect.DeepEqual(read.Nodes, run.Nodes) {
		t.Errorf("read %+v, wrote %+v", read.Decisions, run.Decisions)
	}
}

func TestDecisionCount_Text(t *testing.T) {
	for want, c := range map[string]DecisionCount{
		"2 nodes launched":                           {Decision: Launched, Reason: "Provisioned", Nodes: 2},
		"1 replacement launched":                     {Decision: Launched, Reason: reasonReplacement, Nodes: 1},
		"3 empty nodes removed ($0.50 an hour less)": {Decision: Removed, Reason: "Empty", Nodes: 3, SavedPerHour: 0.5},
		"": {Decision: Kept, Reason: "Unconsolidatable", Nodes: 3},
	} {
		if got := c.text(); got != want {
			t.Errorf("%+v: got %q, want %q", c, got, want)
		}
	}
}
