package results

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/words"
)

// Measure is a number that describes a run, and by which runs are compared. [Measures] lists them
// all: code that shows, writes or documents measures uses that list.
type Measure struct {
	// Key names the measure in files and in expressions. It never changes.
	Key string
	// Title is a short name for people. Column is a shorter one for the head of a table; it is empty
	// for a measure without a column in tables of runs.
	Title, Column string
	// Doc says what is measured, without a full stop, for the table in docs/results.md.
	Doc  string
	Unit Unit
	// Better says which of two values is better, other things being equal.
	Better Direction
	// Dimensions are what the measure is split by. A measure without dimensions has a single value.
	Dimensions []Dimension
	// Priority is 1 for columns that are always shown. If there is no room, the columns with the
	// highest priority are left out first.
	Priority int
	// Tile shows the median of several runs as a tile above their table.
	Tile bool
	// Values returns the values in a summary, in a stable order: one without labels if the measure has
	// no dimensions, else one for each combination of labels that occurs.
	Values func(*Summary) []Value
}

// Value is a value of a measure.
type Value struct {
	// Labels are the labels of the value, one for each dimension of the measure.
	Labels []string
	Value  float64
}

// Dimension is a property by which a measure is split.
type Dimension string

// The dimensions.
const (
	// ByResource splits a measure by the name of a resource.
	ByResource Dimension = "resource"
	// ByOwner splits a measure by the owners of pods: namespace/kind/name. There may be thousands, so
	// [MeasuresOf] leaves such measures out.
	ByOwner Dimension = "owner"
)

// Direction says which values of a measure are better.
type Direction string

// The directions.
const (
	Lower   Direction = "lower"
	Higher  Direction = "higher"
	Neither Direction = "neither"
)

// Unit is the unit of a measure.
type Unit string

// The units. Amounts are in the unit of their resource, see [UnitOf].
const (
	Count       Unit = "count"
	Seconds     Unit = "seconds"
	Hours       Unit = "hours"
	Fraction    Unit = "fraction"
	Number      Unit = "number"
	Amount      Unit = "amount"
	AmountHours Unit = "amount-hours"
	Dollars     Unit = "dollars"
)

// Format formats a value for people.
func (u Unit) Format(v float64) string {
	switch u {
	case Count:
		return words.Number(int(v))
	case Seconds:
		return FormatSeconds(v)
	case Fraction:
		return FormatPercent(v)
	case Dollars:
		return FormatDollars(v)
	}
	return FormatNumber(v)
}

// Keys of measures that code refers to.
const (
	MeasurePods           = "pods"
	MeasureScheduled      = "scheduled"
	MeasureNeverScheduled = "neverScheduled"
	MeasurePendingP50     = "pendingP50"
	MeasurePendingP99     = "pendingP99"
	MeasurePendingMax     = "pendingMax"
	MeasurePeakNodes      = "peakNodes"
	MeasureWallSeconds    = "wallSeconds"
	MeasureLagMax         = "replayLagMax"
	MeasureDeviations     = "deviations"
)

// Measures returns all measures in the order in which they are shown.
func Measures() []Measure {
	return []Measure{
		{
			Key: MeasurePods, Title: "Pods", Column: "pods", Doc: "pods that were created",
			Unit: Count, Better: Neither, Priority: 2, Tile: true,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Pods.Created) }),
		},
		{
			Key: MeasureNeverScheduled, Title: "Pods without a node", Column: "no node", Doc: "pods that never got a node",
			Unit: Count, Better: Lower, Priority: 3, Tile: true,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Pods.NeverScheduled) }),
		},
		{
			Key: MeasurePendingP50, Title: "Pending, p50", Column: "p50", Doc: "the time within which half of the pods got a node",
			Unit: Seconds, Better: Lower, Priority: 7,
			Values: one(func(s *Summary) float64 { return s.Timing.Pending.P50 }),
		},
		{
			Key: "pendingP90", Title: "Pending, p90", Column: "p90", Doc: "the time within which 90% of the pods got a node",
			Unit: Seconds, Better: Lower, Priority: 8,
			Values: one(func(s *Summary) float64 { return s.Timing.Pending.P90 }),
		},
		{
			Key: MeasurePendingP99, Title: "Pending, p99", Column: "p99 wait", Doc: "the time within which 99% of the pods got a node",
			Unit: Seconds, Better: Lower, Priority: 1, Tile: true,
			Values: one(func(s *Summary) float64 { return s.Timing.Pending.P99 }),
		},
		{
			Key: MeasurePendingMax, Title: "Longest wait", Column: "longest", Doc: "the longest time that a pod waited for a node",
			Unit: Seconds, Better: Lower, Priority: 1, Tile: true,
			Values: one(func(s *Summary) float64 { return s.Timing.Pending.Max }),
		},
		{
			Key: MeasurePeakNodes, Title: "Nodes", Column: "nodes", Doc: "the most nodes at once",
			Unit: Count, Better: Lower, Priority: 4, Tile: true,
			Values: one(func(s *Summary) float64 { return float64(s.Timing.Nodes.Peak) }),
		},
		{
			Key: MeasureWallSeconds, Title: "In real time", Column: "took", Doc: "how long the simulation took in real time",
			Unit: Seconds, Better: Lower, Priority: 5, Tile: true,
			Values: one(func(s *Summary) float64 { return s.Run.WallSeconds }),
		},
		{
			Key: MeasureScheduled, Title: "Pods with a node", Doc: "pods that got a node",
			Unit: Count, Better: Higher,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Pods.Scheduled) }),
		},
		{
			Key: "failed", Title: "Failed pods", Doc: "pods that failed",
			Unit: Count, Better: Lower,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Pods.Failed) }),
		},
		{
			Key: "disrupted", Title: "Disrupted pods", Doc: "pods that were preempted or evicted",
			Unit: Count, Better: Lower,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Pods.Disrupted) }),
		},
		{
			Key: "pendingOverSecond", Title: "Waited over 1s", Doc: "pods that waited longer than a second for a node",
			Unit: Count, Better: Lower,
			Values: one(func(s *Summary) float64 { return float64(s.Timing.Pending.OverSecond) }),
		},
		{
			Key: "peakPending", Title: "Most pods waiting", Doc: "the most pods without a node at once",
			Unit: Count, Better: Lower,
			Values: one(func(s *Summary) float64 { return float64(s.Timing.Pods.PeakPending) }),
		},
		{
			Key: "startP99", Title: "Start, p99", Doc: "the time within which 99% of the pods ran once they had a node",
			Unit: Seconds, Better: Lower,
			Values: one(func(s *Summary) float64 { return s.Timing.Start.P99 }),
		},
		{
			Key: "meanNodes", Title: "Nodes on average", Doc: "the average number of nodes",
			Unit: Number, Better: Lower,
			Values: one(func(s *Summary) float64 { return s.Timing.Nodes.Mean }),
		},
		{
			Key: "nodeHours", Title: "Node-hours", Doc: "hours of nodes, in trace time",
			Unit: Hours, Better: Lower,
			Values: one(func(s *Summary) float64 { return s.Timing.Nodes.NodeHours }),
		},
		{
			Key: "cost", Title: "Cost", Doc: "what the nodes that have a price cost, from launch to removal",
			Unit: Dollars, Better: Lower,
			Values: func(s *Summary) []Value {
				if s.Timing.Cost == nil {
					return nil
				}
				return []Value{{Value: s.Timing.Cost.Total}}
			},
		},
		{
			Key: "costLowerBound", Title: "Lower bound of the cost", Doc: "the least that the same could have cost, see [lower bound](#lower-bound)",
			Unit: Dollars, Better: Neither,
			Values: ofBound(func(c *Cost) float64 { return c.LowerBound }),
		},
		{
			Key: "costRatio", Title: "Cost by lower bound", Doc: "how many times the lower bound the nodes cost",
			Unit: Number, Better: Lower,
			Values: ofBound((*Cost).Ratio),
		},
		{
			Key: "nodesMade", Title: "Nodes made", Doc: "nodes that were created after the start",
			Unit: Count, Better: Neither,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Nodes.Made) }),
		},
		{
			Key: "nodesRemoved", Title: "Nodes removed", Doc: "nodes that were removed before the end",
			Unit: Count, Better: Neither,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Nodes.Deleted) }),
		},
		{
			Key: "nodeLifetimeMin", Title: "Shortest life of a node", Doc: "the shortest time that a removed node existed, in seconds of the trace",
			Unit: Seconds, Better: Higher,
			Values: ofLifetimes(func(l *NodeLifetimes) float64 { return l.Min }),
		},
		{
			Key: "nodeLifetimeP50", Title: "Life of a node, p50", Doc: "the time within which half of the removed nodes were removed, in seconds of the trace",
			Unit: Seconds, Better: Neither,
			Values: ofLifetimes(func(l *NodeLifetimes) float64 { return l.P50 }),
		},
		{
			Key: "nodeLifetimeP99", Title: "Life of a node, p99", Doc: "the time within which 99% of the removed nodes were removed, in seconds of the trace",
			Unit: Seconds, Better: Neither,
			Values: ofLifetimes(func(l *NodeLifetimes) float64 { return l.P99 }),
		},
		{
			Key: "podsMoved", Title: "Moved pods", Doc: "pods that lost their node and were replaced, see [moved pods](#moved-pods)",
			Unit: Count, Better: Lower,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Pods.Moved) }),
		},
		{
			Key: "requestedHours", Title: "Requested hours", Doc: "hours of a resource that pods on nodes requested, in trace time",
			Unit: AmountHours, Better: Neither, Dimensions: []Dimension{ByResource},
			Values: ofResources(func(u ResourceUsage) float64 { return u.RequestedHours }),
		},
		{
			Key: "allocatableHours", Title: "Allocatable hours", Doc: "hours of a resource that ready nodes had, in trace time",
			Unit: AmountHours, Better: Lower, Dimensions: []Dimension{ByResource},
			Values: ofResources(func(u ResourceUsage) float64 { return u.AllocatableHours }),
		},
		{
			Key: "meanUtilization", Title: "Requested on average", Doc: "the part of a resource that was requested, on average",
			Unit: Fraction, Better: Higher, Dimensions: []Dimension{ByResource},
			Values: ofResources(func(u ResourceUsage) float64 { return u.MeanUtilization }),
		},
		{
			Key: "peakUtilization", Title: "Requested at the peak", Doc: "the largest part of a resource that was requested at once",
			Unit: Fraction, Better: Neither, Dimensions: []Dimension{ByResource},
			Values: ofResources(func(u ResourceUsage) float64 { return u.PeakUtilization }),
		},
		{
			Key: "peakDemand", Title: "Peak demand", Doc: "the most of a resource that pods with and without a node requested at once",
			Unit: Amount, Better: Neither, Dimensions: []Dimension{ByResource},
			Values: ofResources(func(u ResourceUsage) float64 { return u.PeakDemand }),
		},
		{
			Key: "ownerPods", Title: "Pods of an owner", Doc: "pods that an owner made",
			Unit: Count, Better: Neither, Dimensions: []Dimension{ByOwner},
			Values: func(s *Summary) []Value {
				return ofOwners(s.Outcome.ByOwner, func(o OwnerCounts) (Owner, float64) { return o.Owner, float64(o.Pods) })
			},
		},
		{
			Key: "ownerPendingP99", Title: "Pending of an owner, p99",
			Doc:  "the time within which 99% of an owner's pods got a node, of owners with pods that waited longer than a second",
			Unit: Seconds, Better: Lower, Dimensions: []Dimension{ByOwner},
			Values: func(s *Summary) []Value {
				return ofOwners(s.Timing.PendingByOwner, func(o OwnerWaits) (Owner, float64) { return o.Owner, o.P99 })
			},
		},
		{
			Key: "events", Title: "Events", Doc: "events of the trace that were replayed",
			Unit: Count, Better: Neither,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Events.Replayed) }),
		},
		{
			Key: "problems", Title: "Problems", Doc: "what could not be replayed as it was recorded",
			Unit: Count, Better: Lower,
			Values: one(func(s *Summary) float64 { return float64(s.Outcome.Problems.Total) }),
		},
		{
			Key: MeasureDeviations, Title: "Deviations", Doc: "differences from the recording, including the problems",
			Unit: Count, Better: Lower,
			Values: func(s *Summary) []Value {
				if s.Outcome.Deviations == nil { // written before they were counted
					return nil
				}
				return []Value{{Value: float64(s.Outcome.Deviations.Total)}}
			},
		},
		{
			Key: "replayLagP99", Title: "Replay lag, p99", Doc: "how late 99% of the events were at most",
			Unit: Seconds, Better: Lower,
			Values: one(func(s *Summary) float64 { return s.Timing.ReplayLag.P99 }),
		},
		{
			Key: MeasureLagMax, Title: "Largest replay lag", Doc: "how late the latest event was",
			Unit: Seconds, Better: Lower,
			Values: one(func(s *Summary) float64 { return s.Timing.ReplayLag.Max }),
		},
	}
}

// one makes the Values of a measure without dimensions.
func one(value func(*Summary) float64) func(*Summary) []Value {
	return func(s *Summary) []Value { return []Value{{Value: value(s)}} }
}

// ofBound makes the Values of a measure of the lower bound. It has none if that is not known.
func ofBound(value func(*Cost) float64) func(*Summary) []Value {
	return func(s *Summary) []Value {
		if s.Timing.Cost.Ratio() == 0 {
			return nil
		}
		return []Value{{Value: value(s.Timing.Cost)}}
	}
}

// ofLifetimes makes the Values of a measure of removed nodes. It has none if no node was removed.
func ofLifetimes(value func(*NodeLifetimes) float64) func(*Summary) []Value {
	return func(s *Summary) []Value {
		if s.Timing.Nodes.Lifetime == nil {
			return nil
		}
		return []Value{{Value: value(s.Timing.Nodes.Lifetime)}}
	}
}

// ofResources makes the Values of a measure of resources.
func ofResources(value func(ResourceUsage) float64) func(*Summary) []Value {
	return func(s *Summary) []Value {
		var out []Value
		for _, name := range s.Timing.ResourceNames() {
			out = append(out, Value{Labels: []string{name}, Value: value(s.Timing.Usage(name))})
		}
		return out
	}
}

func ofOwners[T any](owners []T, value func(T) (Owner, float64)) []Value {
	out := make([]Value, len(owners))
	for i, o := range owners {
		owner, v := value(o)
		out[i] = Value{Labels: []string{owner.Namespace + "/" + owner.Kind + "/" + owner.Name}, Value: v}
	}
	return out
}

// Name returns the name of a value of the measure in files: its key, followed by the labels in
// brackets, as in "requestedHours[cpu]".
func (m Measure) Name(labels ...string) string {
	if len(labels) == 0 {
		return m.Key
	}
	return m.Key + "[" + strings.Join(labels, ",") + "]"
}

// Format formats a value of the measure for people, with the unit of the resource if it is an
// amount of one.
func (m Measure) Format(v Value) string {
	text := m.Unit.Format(v.Value)
	i := slices.Index(m.Dimensions, ByResource)
	if i < 0 {
		return text
	}
	switch unit := UnitOf(v.Labels[i]); m.Unit {
	case Amount:
		return text + " " + unit.Name
	case AmountHours:
		return text + " " + unit.Hours()
	}
	return text
}

// MeasureOf returns the measure with a key. It panics if there is none: use [Measures] for names
// that users type.
func MeasureOf(key string) Measure {
	all := Measures()
	i := slices.IndexFunc(all, func(m Measure) bool { return m.Key == key })
	if i < 0 {
		panic(fmt.Sprintf("results: no measure has the key %q", key))
	}
	return all[i]
}

// Columns returns the measures that have columns in tables of runs.
func Columns() []Measure {
	return slices.DeleteFunc(Measures(), func(m Measure) bool { return m.Column == "" })
}

// MeasuresOf returns the measures of a run by name (see [Measure.Name]), except those by owner.
func MeasuresOf(s *Summary) map[string]float64 {
	out := map[string]float64{}
	for _, m := range Measures() {
		if slices.Contains(m.Dimensions, ByOwner) {
			continue
		}
		for _, v := range m.Values(s) {
			out[m.Name(v.Labels...)] = v.Value
		}
	}
	return out
}

// Spread describes the values of several runs. The median is always the value of a run: with an
// even number of runs, the lower of the two in the middle.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Across returns the spread of each measure over the runs that finished, and nil if none did. Runs
// that were interrupted are left out: they would count as faster and smaller than they are.
func Across(runs []Repetition) map[string]Spread {
	values := map[string][]float64{}
	for _, run := range runs {
		if run.Status == RunFinished {
			for name, value := range run.Measures {
				values[name] = append(values[name], value)
			}
		}
	}
	if len(values) == 0 {
		return nil
	}
	out := map[string]Spread{}
	for name, all := range values {
		slices.Sort(all)
		out[name] = Spread{Min: all[0], Median: quantile(all, 0.5), Max: all[len(all)-1]}
	}
	return out
}

// ResourceNames returns the resources that a node had or a pod requested, in the order of
// [CompareResources].
func (t *Timing) ResourceNames() []string {
	if t.Resources == nil { // a summary of before they were recorded by name
		return []string{string(corev1.ResourceCPU), string(corev1.ResourceMemory)}
	}
	return slices.SortedFunc(maps.Keys(t.Resources), CompareResources)
}

// Usage returns the use of a resource by its name, or by AllGPUs.
func (t *Timing) Usage(resource string) ResourceUsage {
	switch resource {
	case string(corev1.ResourceCPU):
		return t.CPU
	case string(corev1.ResourceMemory):
		return t.Memory
	case AllGPUs:
		return t.GPU
	}
	return t.Resources[resource]
}

// ShownResources returns the resources that summaries and reports show: CPU and memory; all GPUs
// together if a node had or a pod requested any; and others that a pod requested, except the number
// of pods. GPUs are shown by name only if there are several kinds.
func (t *Timing) ShownResources() []string {
	shown := []string{string(corev1.ResourceCPU), string(corev1.ResourceMemory)}
	if cmp.Or(t.GPU.PeakAllocatable, t.GPU.PeakDemand) > 0 {
		shown = append(shown, AllGPUs)
	}
	var kinds, others []string
	for _, name := range t.ResourceNames() {
		switch {
		case IsGPU(name):
			kinds = append(kinds, name)
		case !slices.Contains(shown, name) && name != string(corev1.ResourcePods) && t.Resources[name].PeakDemand > 0:
			others = append(others, name)
		}
	}
	if len(kinds) > 1 {
		shown = append(shown, kinds...)
	}
	return append(shown, others...)
}
