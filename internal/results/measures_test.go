package results_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

// Each measure is the number of the summary that it is named for. Those of the first two lines are
// the columns of tables of runs.
func TestMeasuresOf(t *testing.T) {
	var s results.Summary
	s.Outcome.Pods = results.PodCounts{Created: 1, NeverScheduled: 2, Scheduled: 9, Failed: 10, Disrupted: 11}
	s.Timing.Pending = results.Waits{Distribution: results.Distribution{P50: 3, P90: 4, P99: 5, Max: 6}, OverSecond: 12}
	s.Timing.Nodes = results.NodeUsage{Peak: 7, Mean: 15, NodeHours: 16}
	s.Timing.Cost = &results.Cost{Total: 27, LowerBound: 18}
	s.Outcome.Nodes.Deleted, s.Outcome.Nodes.Made, s.Outcome.Pods.Moved = 28, 29, 30
	s.Timing.Nodes.Lifetime = &results.NodeLifetimes{Distribution: results.Distribution{P50: 32, P99: 33}, Min: 31}
	s.Run.WallSeconds = 8
	s.Timing.Pods.PeakPending = 13
	s.Timing.Start.P99 = 14
	s.Timing.CPU = results.ResourceUsage{RequestedHours: 17, AllocatableHours: 18, MeanUtilization: 19, PeakUtilization: 20, PeakDemand: 21}
	s.Timing.Resources = map[string]results.ResourceUsage{"cpu": s.Timing.CPU, "example.com/nic": {PeakDemand: 22}}
	s.Outcome.Events.Replayed = 23
	s.Outcome.Problems.Total = 24
	s.Timing.ReplayLag = results.Distribution{P99: 25, Max: 26}
	want := map[string]float64{
		"pods": 1, "neverScheduled": 2, "pendingP50": 3, "pendingP90": 4, "pendingP99": 5, "pendingMax": 6,
		"peakNodes": 7, "wallSeconds": 8,
		"scheduled": 9, "failed": 10, "disrupted": 11, "pendingOverSecond": 12, "peakPending": 13, "startP99": 14,
		"meanNodes": 15, "nodeHours": 16, "cost": 27, "costLowerBound": 18, "costRatio": 1.5, "nodesRemoved": 28, "nodesMade": 29, "podsMoved": 30,
		"nodeLifetimeMin": 31, "nodeLifetimeP50": 32, "nodeLifetimeP99": 33,
		"requestedHours[cpu]": 17, "allocatableHours[cpu]": 18, "meanUtilization[cpu]": 19, "peakUtilization[cpu]": 20,
		"peakDemand[cpu]": 21, "peakDemand[example.com/nic]": 22,
		"requestedHours[example.com/nic]": 0, "allocatableHours[example.com/nic]": 0,
		"meanUtilization[example.com/nic]": 0, "peakUtilization[example.com/nic]": 0,
		"events": 23, "problems": 24, "replayLagP99": 25, "replayLagMax": 26,
	}
	if diff := cmp.Diff(want, results.MeasuresOf(&s)); diff != "" {
		t.Errorf("measures (-want +got):\n%s", diff)
	}
	var row []string
	for _, m := range results.Columns() {
		row = append(row, m.Column+" "+m.Unit.Format(results.MeasuresOf(&s)[m.Key]))
	}
	columns := "pods 1, no node 2, p50 3s, p90 4s, p99 wait 5s, longest 6s, nodes 7, took 8s"
	if got := strings.Join(row, ", "); got != columns {
		t.Errorf("got  %s\nwant %s", got, columns)
	}
}

// The list of measures is complete and consistent.
func TestMeasures(t *testing.T) {
	summary := sample.Day(1).Summary
	keys := map[string]bool{}
	for _, m := range results.Measures() {
		if m.Key == "" || keys[m.Key] || strings.ContainsAny(m.Key, "[], ") {
			t.Errorf("key %q is empty, used twice or not a name", m.Key)
		}
		keys[m.Key] = true
		if m.Title == "" || m.Doc == "" || m.Unit == "" || m.Better == "" {
			t.Errorf("%s lacks a title, a description, a unit or a direction", m.Key)
		}
		if (m.Column != "") != (m.Priority > 0) {
			t.Errorf("%s has column %q and priority %d", m.Key, m.Column, m.Priority)
		}
		values := m.Values(&summary)
		if len(values) == 0 || len(m.Dimensions) == 0 && len(values) > 1 {
			t.Errorf("%s has %d values in a run", m.Key, len(values))
		}
		for _, v := range values {
			if len(v.Labels) != len(m.Dimensions) {
				t.Errorf("%s has the labels %q for the dimensions %q", m.Key, v.Labels, m.Dimensions)
			}
		}
		if got := results.MeasureOf(m.Key); got.Title != m.Title {
			t.Errorf("the measure with the key %s is %s", m.Key, got.Title)
		}
	}
}

func TestMeasure_Format(t *testing.T) {
	for _, tc := range []struct {
		key   string
		value results.Value
		want  string
	}{
		{"pods", results.Value{Value: 12345}, "12,345"},
		{"pendingP99", results.Value{Value: 0.25}, "250ms"},
		{"meanUtilization", results.Value{Labels: []string{"cpu"}, Value: 0.385}, "38%"},
		{"requestedHours", results.Value{Labels: []string{"memory"}, Value: 12.5}, "12.5 GiB-hours"},
		{"peakDemand", results.Value{Labels: []string{"nvidia.com/gpu"}, Value: 7}, "7 nvidia.com/gpu"},
		{"nodeHours", results.Value{Value: 1.5}, "1.5"},
	} {
		if got := results.MeasureOf(tc.key).Format(tc.value); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.key, got, tc.want)
		}
	}
}

// The table of measures in the documentation is made from the list of measures.
func TestMeasures_Docs(t *testing.T) {
	const path = "../../docs/results.md"
	const begin, end = "<!-- The table is written by go test ./internal/results -run Measures_Docs -update -->\n", "<!-- end of the table -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table of measures", path)
	}
	var want strings.Builder
	want.WriteString("\n| name | meaning | unit | better | by |\n| --- | --- | --- | --- | --- |\n")
	for _, m := range results.Measures() {
		by := "–"
		if len(m.Dimensions) > 0 {
			var names []string
			for _, d := range m.Dimensions {
				names = append(names, string(d))
			}
			by = strings.Join(names, ", ")
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s |\n", m.Key, m.Doc, m.Unit, m.Better, by)
	}
	want.WriteString("\n")
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", path, diff)
	}
}
