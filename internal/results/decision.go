package results

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// DecisionKind is a kind of decisions of an autoscaler.
type DecisionKind string

const (
	// Launched means that an instance was launched for a new node.
	Launched DecisionKind = "launched"
	// Removed means that the autoscaler began to remove nodes, without replacing them.
	Removed DecisionKind = "removed"
	// Replaced means that it began to replace nodes with others.
	Replaced DecisionKind = "replaced"
	// NoNode means that it found no node that it could launch for a pod.
	NoNode DecisionKind = "no node"
	// NoCapacity means that no instance could be launched because the cloud had none.
	NoCapacity DecisionKind = "no capacity"
	// Interrupted means that the cloud announced that it takes an instance back.
	Interrupted DecisionKind = "interrupted"
	// Kept means that a node was not removed, and why.
	Kept DecisionKind = "kept"
	// Meant says for which pods a node is launched. It becomes part of the decision to launch it, or
	// of that it could not be launched.
	Meant DecisionKind = "meant"
)

// DecisionKinds returns the kinds of rows of decisions.parquet, in the order in which they are
// listed.
func DecisionKinds() []DecisionKind {
	return []DecisionKind{Launched, Replaced, Removed, Interrupted, NoNode, NoCapacity, Kept}
}

// Decision is something that an autoscaler decided. Which fields are set depends on the kind.
type Decision struct {
	Time time.Time // on the clock
	Kind DecisionKind
	// Reason is why in a word, such as Underutilized, Empty, Drifted or Expired.
	Reason string
	// Nodes are the nodes that the decision is about, and Replacements those that replace them.
	Nodes, Replacements []string
	NodePool            string
	// InstanceType, CapacityType, Zone and PricePerHour, in US dollars, are those of a launched
	// instance. Alternatives are the other instance types that were possible, the cheapest first.
	InstanceType, CapacityType, Zone string
	PricePerHour                     float64
	Alternatives                     []string
	// Pods are the pods, as namespace/name: those that a node was or would have been launched for, or
	// that have no node.
	// PodCount is how many there are, also if they are not known by name.
	Pods     []string
	PodCount int
	// SavedPerHour is what the decision saves, in US dollars per hour, by the autoscaler's estimate.
	SavedPerHour float64
	// Message is the autoscaler's own text.
	Message string
}

// DecisionRow is a row of decisions.parquet, which is written if there was an autoscaler. Rows are
// ordered by time. See [Decision] for the columns.
type DecisionRow struct {
	Time         time.Time `parquet:"time,timestamp(microsecond)"`
	Decision     string    `parquet:"decision,dict"`
	Reason       string    `parquet:"reason,dict"`
	Nodes        []string  `parquet:"nodes,list"`
	Replacements []string  `parquet:"replacements,list"`
	NodePool     string    `parquet:"node_pool,dict"`
	InstanceType string    `parquet:"instance_type,dict"`
	CapacityType string    `parquet:"capacity_type,dict"`
	Zone         string    `parquet:"zone,dict"`
	PricePerHour float64   `parquet:"price_per_hour"`
	Alternatives []string  `parquet:"alternatives,list"`
	Pods         []string  `parquet:"pods,list"`
	PodCount     int32     `parquet:"pod_count"`
	SavedPerHour float64   `parquet:"saved_per_hour"`
	Message      string    `parquet:"message"`
}

// reasonReplacement is the reason to launch a node that replaces others.
const reasonReplacement = "Replacement"

// DecisionCount is how many decisions of a kind and reason there were.
type DecisionCount struct {
	Decision DecisionKind `json:"decision"`
	Reason   string       `json:"reason,omitempty"`
	Count    int          `json:"count"`
	// Nodes is how many nodes they were about, each counted once.
	Nodes int `json:"nodes"`
	// Pods is how many pods they were about, with a pod counted in each decision.
	Pods int `json:"pods"`
	// SavedPerHour is the sum of the estimates, in US dollars per hour.
	SavedPerHour float64 `json:"savedPerHour,omitempty"`
}

// Decided records a decision of an autoscaler.
func (r *Recorder) Decided(d Decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Kind == Meant {
		for _, node := range d.Nodes {
			r.meant[node] = append(r.meant[node], d.Pods...)
		}
		return
	}
	r.decisions = append(r.decisions, d)
}

// decisionRows returns the decisions until the end of the window.
func (r *Recorder) decisionRows(w window) []DecisionRow {
	var rows []DecisionRow
	for i := range r.decisions {
		d := &r.decisions[i]
		at := instantOf(d.Time)
		if at > w.end {
			continue
		}
		row := DecisionRow{
			Time: w.trace(max(at, w.start)), Decision: string(d.Kind), Reason: d.Reason,
			Nodes: orNil(d.Nodes), Replacements: orNil(d.Replacements), NodePool: d.NodePool,
			InstanceType: d.InstanceType, CapacityType: d.CapacityType, Zone: d.Zone, PricePerHour: d.PricePerHour,
			Alternatives: orNil(d.Alternatives), Pods: slices.Clone(d.Pods), PodCount: int32(d.PodCount),
			SavedPerHour: d.SavedPerHour, Message: d.Message,
		}
		if d.Kind == Launched || d.Kind == NoCapacity {
			for _, node := range d.Nodes {
				row.Pods = append(row.Pods, r.meant[node]...)
			}
		}
		slices.Sort(row.Pods)
		row.Pods = orNil(slices.Compact(row.Pods))
		row.PodCount = max(row.PodCount, int32(len(row.Pods)))
		rows = append(rows, row)
	}
	replacements := map[string]bool{}
	for i := range rows {
		for _, node := range rows[i].Replacements {
			replacements[node] = true
		}
	}
	for i := range rows {
		if row := &rows[i]; row.Decision == string(Launched) && slices.ContainsFunc(row.Nodes, func(node string) bool { return replacements[node] }) {
			row.Reason = reasonReplacement
		}
	}
	// The order of rows with one time must not depend on which of two goroutines was first.
	slices.SortStableFunc(rows, func(a, b DecisionRow) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(kindRank(a.Decision), kindRank(b.Decision)),
			slices.Compare(a.Nodes, b.Nodes), slices.Compare(a.Pods, b.Pods), strings.Compare(a.Message, b.Message))
	})
	return rows
}

func kindRank(kind string) int { return slices.Index(DecisionKinds(), DecisionKind(kind)) }

// countDecisions counts decisions by kind and reason.
func countDecisions(rows []DecisionRow) []DecisionCount {
	type key struct{ kind, reason string }
	counts := map[key]*DecisionCount{}
	nodes := map[key]map[string]bool{}
	for i := range rows {
		row := &rows[i]
		k := key{row.Decision, row.Reason}
		c := counts[k]
		if c == nil {
			c = &DecisionCount{Decision: DecisionKind(row.Decision), Reason: row.Reason}
			counts[k], nodes[k] = c, map[string]bool{}
		}
		c.Count++
		c.Pods += int(row.PodCount)
		c.SavedPerHour += row.SavedPerHour
		for _, node := range row.Nodes {
			nodes[k][node] = true
		}
	}
	var out []DecisionCount
	for k, c := range counts {
		c.Nodes = len(nodes[k])
		c.SavedPerHour = round(c.SavedPerHour)
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b DecisionCount) int {
		return cmp.Or(cmp.Compare(kindRank(string(a.Decision)), kindRank(string(b.Decision))), cmp.Compare(b.Count, a.Count), strings.Compare(a.Reason, b.Reason))
	})
	return out
}

// causes are why a node was launched and why it was removed.
type causes struct {
	launched, removed string
	replacements      []string
	saved             float64
}

// causesOf returns the causes of nodes, by name.
func causesOf(rows []DecisionRow) map[string]causes {
	out := map[string]causes{}
	set := func(node string, change func(*causes)) {
		c := out[node]
		change(&c)
		out[node] = c
	}
	for i := range rows {
		row := &rows[i]
		switch DecisionKind(row.Decision) {
		case Launched:
			for _, node := range row.Nodes {
				set(node, func(c *causes) { c.launched = row.Reason })
			}
		case Removed, Replaced:
			for _, node := range row.Nodes {
				set(node, func(c *causes) {
					c.removed, c.replacements = row.Reason, row.Replacements
					c.saved = row.SavedPerHour / float64(len(row.Nodes))
				})
			}
		}
	}
	return out
}

// addCauses sets the causes of nodes in their rows.
func addCauses(nodes []NodeRow, decisions []DecisionRow) {
	causes := causesOf(decisions)
	for i := range nodes {
		row := &nodes[i]
		c := causes[row.Node]
		row.LaunchReason, row.RemovalReason, row.ReplacedBy, row.SavedPerHour = c.launched, c.removed, c.replacements, c.saved
	}
}
