package nodes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/trace"
)

func TestPrepare_Auto(t *testing.T) {
	apart := `affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: db}}}]}}`
	tests := []struct {
		name, shape string
		events      []trace.Event
		want        string
		findings    int
	}{
		{"no pods", "", nil, "auto: 1 node of cpu=32,memory=128Gi,pods=110 (the trace has no pods that such nodes can run)", 0},
		{
			"cpu", "",
			[]trace.Event{applied(deployment(t, "api", 100, podSpec("3", "1Gi", "")))},
			"auto: 11 nodes of cpu=32,memory=128Gi,pods=110 (peak at 12:00 UTC: 100 pods, 300 cores, 100 GiB; limited by cpu; +1 for rollouts)", 0,
		},
		{
			"memory, with daemon sets", "cpu=32,memory=64Gi",
			[]trace.Event{
				applied(daemonSet(t, "agent", podSpec("1", "4Gi", ""))),
				applied(deployment(t, "api", 100, podSpec("1", "10Gi", ""))),
			},
			"auto: 19 nodes of cpu=32,memory=64Gi,pods=110 (peak at 12:01 UTC: 100 pods, 100 cores, 1,000 GiB, and 1 DaemonSet on each node; limited by memory; +2 for rollouts)", 0,
		},
		{
			"pods", "pods=10",
			[]trace.Event{applied(deployment(t, "api", 300, podSpec("10m", "1Mi", "")))},
			"auto: 33 nodes of cpu=32,memory=128Gi,pods=10 (peak at 12:00 UTC: 300 pods, 3 cores, 300 MiB; limited by pods; +3 for rollouts)", 0,
		},
		{
			"pods that fit badly", "",
			[]trace.Event{applied(deployment(t, "api", 10, podSpec("17", "1Gi", "")))},
			"auto: 11 nodes of cpu=32,memory=128Gi,pods=110 (peak at 12:00 UTC: 10 pods, 170 cores, 10 GiB; limited by how pods fit on nodes; +1 for rollouts)", 0,
		},
		{
			"pods that exclude each other", "",
			[]trace.Event{applied(deployment(t, "db", 7, podSpec("1", "1Gi", apart)))},
			"auto: 8 nodes of cpu=32,memory=128Gi,pods=110 (peak at 12:00 UTC: 7 pods, 7 cores, 7 GiB; limited by how pods fit on nodes; +1 for rollouts)", 0,
		},
		{
			"pods of one zone", "",
			[]trace.Event{applied(deployment(t, "api", 4, podSpec("16", "1Gi", "nodeSelector: {topology.kubernetes.io/zone: virtual-c}")))},
			"auto: 3 nodes of cpu=32,memory=128Gi,pods=110,label.topology.kubernetes.io/zone=virtual-c (peak at 12:00 UTC: 4 pods, 64 cores, 4 GiB; limited by cpu; +1 for rollouts)", 0,
		},
		{
			"pods that no node can run do not count", "",
			[]trace.Event{applied(deployment(t, "api", 4, podSpec("1", "1Gi", "")), deployment(t, "big", 400, podSpec("6400", "1Gi", "")))},
			"auto: 2 nodes of cpu=32,memory=128Gi,pods=110 (peak at 12:00 UTC: 4 pods, 4 cores, 4 GiB; limited by cpu; +1 for rollouts)", 1,
		},
		{
			"daemon sets that leave no room", "",
			[]trace.Event{applied(daemonSet(t, "agent", podSpec("2", "1Gi", "")), deployment(t, "api", 2, podSpec("31", "1Gi", "")))},
			"auto: 2 nodes of cpu=64,memory=128Gi,pods=110 (peak at 12:00 UTC: 2 pods, 62 cores, 2 GiB, and 1 DaemonSet on each node; limited by cpu; +1 for rollouts)", 0,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			demand := survey(nil, test.events...)
			plan, err := Prepare(Spec{Shape: mustShape(t, test.shape)}, demand)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, plan.Summary); diff != "" {
				t.Error(diff)
			}
			var count int
			if _, err := fmt.Sscanf(plan.Summary, "auto: %d", &count); err != nil || count != len(plan.Nodes) {
				t.Errorf("got %d nodes, want as many as %q says", len(plan.Nodes), plan.Summary)
			}
			if len(plan.Findings) != test.findings {
				t.Errorf("got findings %v, want %d", plan.Findings, test.findings)
			}
		})
	}
}

func TestPrepare_AutoTooMany(t *testing.T) {
	demand := survey(nil, applied(deployment(t, "api", 6000, podSpec("17", "1Gi", ""))))
	_, err := Prepare(Spec{}, demand)
	var tooMany *TooManyNodesError
	if !errors.As(err, &tooMany) {
		t.Fatalf("got %v, want a *TooManyNodesError", err)
	}
	const want = "nodes auto: the trace needs more than 5,000 nodes of cpu=32,memory=128Gi,pods=110 (peak at 12:00 UTC: 6,000 pods, 102,000 cores, 5.86 TiB): use a larger node shape, or set the number of nodes"
	if err.Error() != want {
		t.Errorf("got %s, want %s", err, want)
	}
}

func TestPrepare_Count(t *testing.T) {
	demand := survey(nil, applied(deployment(t, "api", 100, podSpec("3", "1Gi", "")), deployment(t, "big", 1, podSpec("64", "1Gi", ""))))
	plan, err := Prepare(Spec{Count: 2}, demand)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plan.Summary, "2 nodes of cpu=32,memory=128Gi,pods=110"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := []string{"at 12:00 UTC the trace requests 300 cores, and the 2 nodes have 64 cores: pods will stay pending"}
	if diff := cmp.Diff(want, plan.Shortages); diff != "" {
		t.Error(diff)
	}
	if got, want := len(plan.Findings), 1; got != want {
		t.Errorf("got %d findings, want %d", got, want)
	}
	if _, err := Prepare(Spec{Count: MaxNodes + 1}, nil); err == nil {
		t.Error("got no error for too many nodes")
	}
}

func TestPrepare_File(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.yaml")
	const text = "apiVersion: v1\nkind: Node\nmetadata: {name: b}\nstatus: {capacity: {cpu: 8, memory: 16Gi, pods: 20}}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := Prepare(Spec{File: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plan.Summary, "1 node from "+path+": 8 cores, 16 GiB, 20 pods"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := len(plan.Notes), 5; got != want {
		t.Errorf("got notes %q, want %d", plan.Notes, want)
	}
	if _, err := Prepare(Spec{File: path + "x"}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}

func TestReadDemand(t *testing.T) {
	for _, name := range []string{"bare-pods", "cronjob"} {
		t.Run(name, func(t *testing.T) {
			path := prerequisite.Recording(t, name+".sktrace")
			file, err := trace.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			demand, err := ReadDemand(t.Context(), &file.Reader, 0)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := Prepare(Spec{}, demand)
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Nodes) < 2 || len(plan.Findings) != 0 {
				t.Errorf("got %s with findings %v, want at least 2 nodes and none", plan.Summary, plan.Findings)
			}
		})
	}
}

// BenchmarkPrepare sizes and checks the nodes for 400 pod templates that scale up in 20 steps, to
// some 24,000 pods.
func BenchmarkPrepare(b *testing.B) {
	s := NewSurvey(testConfig())
	for i := range 20 {
		event := trace.Event{Time: noon + int64(60*i)}
		for j := range 400 {
			cpu := fmt.Sprintf("%dm", 100+37*j%4000)
			event.Applied = append(event.Applied, deployment(b, fmt.Sprint("web-", j), (i+1)*(1+j%5), podSpec(cpu, "2Gi", "")))
		}
		s.Add(&event)
	}
	demand := s.Demand(nil)
	for b.Loop() {
		if _, err := Prepare(Spec{}, demand); err != nil {
			b.Fatal(err)
		}
	}
}
