package nodes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/words"
)

// Plan is what a simulation's nodes will be, and what is to be said about them before it starts.
type Plan struct {
	// Nodes are the objects to create, sorted by name.
	Nodes []*corev1.Node
	// Summary is one line: how many nodes of which size, and why that many.
	Summary string
	// Notes are worth a warning but stop nothing: what was added to manifests, a peak that these nodes cannot
	// hold, what cannot be judged before the replay.
	Notes []string
	// Findings are the pods that can never be scheduled on these nodes.
	Findings []Finding
}

// Prepare makes the plan for a spec. The demand decides the number of nodes for auto, and is judged against the
// nodes in every case; nil stands for a trace without pods. A file of manifests is read here; for its errors see
// [ReadManifests]. Auto that comes to more than MaxNodes is a [*TooManyNodesError].
func Prepare(spec Spec, demand *Demand) (*Plan, error) {
	if demand == nil {
		demand = &Demand{}
	}
	shape := spec.Shape.orDefault()
	plan := &Plan{}
	switch {
	case spec.File != "":
		var err error
		if plan.Nodes, plan.Notes, err = ReadManifestFile(spec.File); err != nil {
			return nil, err
		}
		plan.Summary = fmt.Sprintf("%s from %s: %s", words.Count(len(plan.Nodes), "node"), spec.File, capacity(plan.Nodes))
	case spec.Count > MaxNodes:
		return nil, fmt.Errorf("%d nodes; at most %d can be simulated", spec.Count, MaxNodes)
	case spec.Count > 0:
		plan.Nodes = Build(spec.Count, shape)
		plan.Summary = fmt.Sprintf("%s of %s", words.Count(spec.Count, "node"), shape)
	default:
		count, summary, err := autoSize(demand, shape)
		if err != nil {
			return nil, err
		}
		plan.Nodes, plan.Summary = Build(count, shape), summary
	}
	slices.SortFunc(plan.Nodes, func(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) })
	plan.Findings = Check(plan.Nodes, demand)
	if !spec.Auto() {
		plan.Notes = append(plan.Notes, shortages(plan.Nodes, demand)...)
	}
	plan.Notes = append(plan.Notes, demand.Notes...)
	return plan, nil
}

// capacity says what nodes have together: "448 cores, 1.8 TiB, 1540 pods".
func capacity(nodes []*corev1.Node) string {
	set := newNodeSet(nodes)
	var parts []string
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods} {
		parts = append(parts, formatAmount(name, set.sum(name)))
	}
	return strings.Join(parts, ", ")
}

// shortages tells which resources the trace asks for more of, at its peak, than the nodes have together.
func shortages(nodes []*corev1.Node, demand *Demand) []string {
	set := newNodeSet(nodes)
	runnable := make([]bool, len(demand.templates))
	for i, template := range demand.templates {
		candidates := set
		if asksByName(template) {
			candidates = set.byName()
		}
		feasible, _ := judge(candidates, template)
		runnable[i] = len(feasible) > 0
	}
	peaks := demand.peaks(func(template int) bool { return runnable[template] }, nil)
	var notes []string
	most := map[corev1.ResourceName]*moment{}
	for _, now := range peaks {
		for name, amount := range now.total {
			if known := most[name]; known == nil || amount > known.total[name] {
				most[name] = &now
			}
		}
	}
	for _, name := range sortedResources(most) {
		now := most[name]
		asked, have := now.total[name], set.sum(name)
		if asked > have {
			notes = append(notes, fmt.Sprintf("at %s the trace asks for %s, and %s: pods will wait",
				demand.clock(now.time), formatAmount(name, asked), haves(set, name, have)))
		}
	}
	return notes
}

func haves(set *nodeSet, name corev1.ResourceName, amount int64) string {
	if set.total == 1 {
		return "the node has " + formatAmount(name, amount)
	}
	return fmt.Sprintf("the %d nodes have %s", set.total, formatAmount(name, amount))
}
