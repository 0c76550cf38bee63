package test

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

// seed is an arbitrary seed.
const seed = 7

// Two simulations with the same seed are equal, including the name, UID, node and microseconds of
// each pod, wherever their results go. With another seed they are not.
func TestSeed(t *testing.T) {
	t.Parallel()
	once := func(seed uint64, folder string) *results.Run {
		spec := seededSpec(t, seed)
		spec.Output = filepath.Join(t.TempDir(), folder)
		return simulate(t, spec, nil)
	}
	one, two, other := once(seed, "one"), once(seed, "another-one-with-a-longer-name"), once(seed+1, "other")
	if !slices.ContainsFunc(one.Pods, func(p results.Pod) bool { return p.PendingSeconds > 1 }) {
		t.Fatal("no pod waited: too little was compared")
	}
	for i := range min(len(one.Pods), len(two.Pods)) {
		if !reflect.DeepEqual(one.Pods[i], two.Pods[i]) {
			t.Errorf("pod %d differs, the first of those that do:\n%+v\n%+v", i, one.Pods[i], two.Pods[i])
			break
		}
	}
	if len(one.Pods) != len(two.Pods) {
		t.Errorf("pods: got %d and %d with one seed", len(one.Pods), len(two.Pods))
	}
	if reflect.DeepEqual(one.Pods, other.Pods) {
		t.Error("another seed came to the same")
	}
}

// seededSpec returns a simulation with too few nodes, so that pods wait and preempt one another.
func seededSpec(tb testing.TB, seed uint64) simulation.Spec {
	tb.Helper()
	file, err := filepath.Abs("../examples/day.sktrace")
	if err != nil {
		tb.Fatal(err)
	}
	return simulation.Spec{
		Name:            "seeded",
		Trace:           file,
		Output:          filepath.Join(tb.TempDir(), "results"),
		Time:            simulation.Virtual,
		Seed:            seed,
		Duration:        20 * time.Minute,
		Nodes:           nodes.Spec{Count: 10},
		NamespacePrefix: "virtual",
	}
}

// BenchmarkRepeat measures how much ten simulations of the first twenty minutes of the example day
// on too few nodes differ: with one seed, without a seed, and on the wall clock (at sixty times its
// speed, as it would take hours otherwise).
func BenchmarkRepeat(b *testing.B) {
	const runs = 10
	for _, bench := range []struct {
		name  string
		clock simulation.Time
		seed  uint64
		speed float64
	}{
		{"virtual/seed", simulation.Virtual, seed, 1},
		{"virtual/no-seed", simulation.Virtual, 0, 1},
		{"real", simulation.Real, 0, 60},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				var all []*results.Run
				for range runs {
					spec := seededSpec(b, bench.seed)
					spec.Time, spec.Speed = bench.clock, bench.speed
					all = append(all, simulate(b, spec, nil))
				}
				s := spreadOf(all)
				b.ReportMetric(float64(s.outcomes), "outcomes")
				b.ReportMetric(float64(s.unmatched), "unmatched-pods")
				b.ReportMetric(s.pending.p50, "pending-spread-p50-s")
				b.ReportMetric(s.pending.p99, "pending-spread-p99-s")
				b.ReportMetric(s.pending.max, "pending-spread-max-s")
				b.ReportMetric(s.moved, "moved-%")
				b.ReportMetric(s.perNode.p50, "node-pods-spread-p50")
				b.ReportMetric(s.perNode.max, "node-pods-spread-max")
			}
		})
	}
}

// spread is how much runs differ.
type spread struct {
	outcomes  int       // different lists of pods
	unmatched int       // pods that are missing in some runs
	pending   quantiles // largest minus smallest pending time of a pod, in seconds
	moved     float64   // pods that were not on the same node in all runs, in percent
	perNode   quantiles // largest minus smallest number of pods a node was given
}

type quantiles struct{ p50, p99, max float64 }

// spreadOf compares the n-th pod of an owner in one run with the n-th in the others, because names
// are random.
func spreadOf(runs []*results.Run) spread {
	var s spread
	type placed struct {
		pending []float64
		nodes   map[string]bool
	}
	pods := map[string]*placed{}
	nodes := map[string][]int{}
	var outcomes [][]results.Pod
	for i, run := range runs {
		if !slices.ContainsFunc(outcomes, func(p []results.Pod) bool { return reflect.DeepEqual(p, run.Pods) }) {
			outcomes = append(outcomes, run.Pods)
		}
		count := map[string]int{}
		for _, p := range run.Pods {
			owner := fmt.Sprint(p.Namespace, "/", p.OwnerKind, "/", p.OwnerName)
			key := fmt.Sprint(owner, "/", count[owner])
			count[owner]++
			if pods[key] == nil {
				pods[key] = &placed{nodes: map[string]bool{}}
			}
			pods[key].pending = append(pods[key].pending, p.PendingSeconds)
			pods[key].nodes[p.Node] = true
			if nodes[p.Node] == nil {
				nodes[p.Node] = make([]int, len(runs))
			}
			nodes[p.Node][i]++
		}
	}
	s.outcomes = len(outcomes)
	var pending, perNode []float64
	for p := range maps.Values(pods) {
		if len(p.pending) != len(runs) {
			s.unmatched++
			continue
		}
		pending = append(pending, slices.Max(p.pending)-slices.Min(p.pending))
		if len(p.nodes) > 1 {
			s.moved += 100
		}
	}
	s.moved /= float64(max(len(pending), 1))
	for _, counts := range nodes {
		perNode = append(perNode, float64(slices.Max(counts)-slices.Min(counts)))
	}
	s.pending, s.perNode = quantilesOf(pending), quantilesOf(perNode)
	return s
}

func quantilesOf(values []float64) quantiles {
	if len(values) == 0 {
		return quantiles{}
	}
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(q*float64(len(values)-1))] }
	return quantiles{p50: at(0.5), p99: at(0.99), max: at(1)}
}
