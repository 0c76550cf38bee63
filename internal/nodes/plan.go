package nodes

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/words"
)

// Plan is the nodes of a simulation, with what the user should know about them before it starts.
type Plan struct {
	// Nodes are the objects to create, sorted by name.
	Nodes []*corev1.Node
	// Summary is one line: how many nodes of which size, and why that many.
	Summary string
	// Given are lines about nodes that were made for what only some of the pods need.
	Given []string
	// Devices are created with the nodes.
	Devices Devices
	// Notes are warnings: what was added to manifests, what cannot be checked before the replay.
	Notes []string
	// Shortages are warnings about peaks that exceed the capacity of the nodes.
	Shortages []string
	// Unsized are the nodes of the trace whose size was not recorded, by name. They have that of the
	// shape.
	Unsized map[string]bool
	// Findings are the pods that can never be scheduled on these nodes.
	Findings []Finding
}

// Prepare returns the plan for a spec. For auto, the demand determines the number of nodes; it is
// checked against the nodes in every case. A nil demand means a trace without pods. A file of
// manifests is read here; for its errors see [ReadManifests]. If auto needs more than MaxNodes, the
// error is a [*TooManyNodesError].
func Prepare(spec Spec, demand *Demand) (*Plan, error) {
	if demand == nil {
		demand = &Demand{}
	}
	shape := spec.Shape.orDefault()
	plan := &Plan{}
	var claimed *deviceSet
	switch {
	case spec.File != "":
		var err error
		if plan.Nodes, plan.Notes, err = ReadManifestFile(spec.File); err != nil {
			return nil, err
		}
		plan.Summary = fmt.Sprintf("%s from %s: %s", words.Count(len(plan.Nodes), "node"), spec.File, capacity(plan.Nodes))
	case spec.Recorded:
		if plan.Nodes, plan.Given = demand.recorded(shape); len(plan.Nodes) == 0 {
			return nil, noRecordedNodes(plan.Given)
		}
		plan.Unsized = demand.unsized()
		plan.Summary = fmt.Sprintf("%s of the trace: %s", words.Count(len(plan.Nodes), "node"), capacity(plan.Nodes))
	case spec.Count > MaxNodes:
		return nil, fmt.Errorf("%d nodes; at most %d can be simulated", spec.Count, MaxNodes)
	case spec.Count > 0:
		plan.Nodes = Build(spec.Count, shape)
		plan.Summary = fmt.Sprintf("%s of %s", words.Count(spec.Count, "node"), shape)
	default:
		demand, claimed, plan.Notes = demand.withVolumes().withDevices()
		if err := plan.planAuto(demand, shape); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(plan.Nodes, func(a, b *corev1.Node) int { return cmp.Compare(a.Name, b.Name) })
	if !spec.Auto() && !spec.Recorded && len(demand.nodes) > 0 {
		plan.Given = append(plan.Given, fmt.Sprintf("%s of the trace not used: others were chosen", words.Count(len(demand.nodes), "node")))
	}
	plan.Findings = Check(plan.Nodes, demand)
	if spec.Auto() {
		plan.addDevices(claimed)
	} else {
		plan.Shortages = shortages(plan.Nodes, demand)
		plan.Notes = append(plan.Notes, demand.claimNotes()...)
	}
	plan.Notes = append(plan.Notes, demand.Notes...)
	return plan, nil
}

// noRecordedNodes is the error for a trace without a node that can be simulated. The notes say what
// was left out.
func noRecordedNodes(notes []string) error {
	if len(notes) > 0 {
		return fmt.Errorf("no node of the trace can be simulated: %s", strings.Join(notes, "; "))
	}
	return errors.New("the trace has no nodes: record them (v1.Node in the tracer's configuration), or give a file of Node manifests")
}

// addDevices makes the devices that the nodes have, and says so.
func (p *Plan) addDevices(claimed *deviceSet) {
	p.Devices = claimed.take(p.Nodes)
	if text := p.Devices.text(); text != "" {
		p.Given = append(p.Given, text)
	}
}

// capacity formats the sum of the nodes' resources: "448 cores, 1.8 TiB, 1540 pods".
func capacity(nodes []*corev1.Node) string {
	set := newNodeSet(nodes)
	var parts []string
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods} {
		parts = append(parts, formatAmount(name, set.sum(name)))
	}
	return strings.Join(parts, ", ")
}

// shortages returns a note for each resource of which the trace's peak exceeds what the nodes have
// together.
func shortages(nodes []*corev1.Node, demand *Demand) []string {
	set := newNodeSet(nodes)
	runnable := make([]bool, len(demand.templates))
	for i, template := range demand.templates {
		candidates := set
		if selectsByName(template) {
			candidates = set.byName()
		}
		feasible, _ := assess(candidates, template)
		runnable[i] = len(feasible) > 0
	}
	peaks := demand.peaks(func(template int) bool { return runnable[template] }, nil)
	var notes []string
	highest := map[corev1.ResourceName]*snapshot{}
	for _, now := range peaks {
		for name, amount := range now.total {
			if known := highest[name]; known == nil || amount > known.total[name] {
				highest[name] = &now
			}
		}
	}
	for _, name := range sortedResources(highest) {
		now := highest[name]
		asked, have := now.total[name], set.sum(name)
		if asked > have {
			notes = append(notes, fmt.Sprintf("at %s the trace requests %s, and %s: pods will stay pending",
				demand.clock(now.time), formatAmount(name, asked), describeCapacity(set, name, have)))
		}
	}
	return notes
}

func describeCapacity(set *nodeSet, name corev1.ResourceName, amount int64) string {
	if set.total == 1 {
		return "the node has " + formatAmount(name, amount)
	}
	return fmt.Sprintf("the %d nodes have %s", set.total, formatAmount(name, amount))
}
