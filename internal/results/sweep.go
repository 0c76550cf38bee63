package results

import (
	"cmp"
	"slices"
	"time"

	"simkube.io/simkube/internal/packing"
)

// sweep goes once through all changes in the order of time, and keeps the state of the cluster
// between them. It computes the timeline, the rows of the nodes, and the exact integrals and peaks
// for the summary: nothing is sampled.
type sweep struct {
	window window
	table  *resourceTable
	others []int // numbers of resources that rows have no columns for
	pods   []podRecord
	nodes  []nodeRecord
	events []Event

	now       instant
	pending   amounts
	requested amounts // of pods with a node that are not finished
	ready     amounts // allocatable on ready nodes
	standing  [stages]int
	created   int
	deleted   int
	live      int // nodes
	liveReady int
	byName    map[string]int // node name -> index of the node that has it now
	onNode    []nodeLoad
	costs     costRates
	served    served
	podNode   []int32 // pod -> index of the node it counts on, -1 for none

	grid       []instant
	nodeEvery  int // every how many instants of the grid nodes get a row
	nextGrid   int
	nextEvent  int
	pendingMax int
	timeline   []TimelineRow
	totals     totals
}

// nodeLoad is the state of a node and of the pods on it.
type nodeLoad struct {
	state nodeState
	alive bool
	dirty bool // differs from the node's last row
	used  amounts
	rows  []NodeRow
}

// change is a change of a pod or of a node.
type change struct {
	at    instant
	kind  changeKind
	index int32 // of the pod or node
	state int32 // of nodeState: which
}

type changeKind uint8

// At the same time, nodes are launched and appear first and are deleted last, and the stages of a
// pod are in order.
const (
	nodeLaunched changeKind = iota
	nodeAppears
	nodeChanges
	podCreated
	podScheduled
	podRunning
	podFinished
	podDeleted
	nodeGoes
)

func newSweep(w window, table *resourceTable, pods []podRecord, nodes []nodeRecord, events []Event, offers []packing.Offer) *sweep {
	s := &sweep{
		window: w, table: table, others: table.others(), pods: pods, nodes: nodes,
		events:  slices.Clone(events),
		byName:  make(map[string]int, len(nodes)),
		onNode:  make([]nodeLoad, len(nodes)),
		podNode: make([]int32, len(pods)),
		grid:    gridOf(w),
		costs:   newCostRates(nodes),
	}
	s.served = newServed(offers, w, table, len(nodes), s.grid)
	for i := range s.podNode {
		s.podNode[i] = -1
	}
	slices.SortStableFunc(s.events, func(a, b Event) int { return a.Started.Compare(b.Started) })
	s.nodeEvery = 1 + len(nodes)*len(s.grid)/maxNodeRows
	s.timeline = make([]TimelineRow, 0, len(s.grid))
	return s
}

func (s *sweep) changes() []change {
	all := make([]change, 0, 4*len(s.pods)+4*len(s.nodes))
	for i := range s.nodes {
		n := &s.nodes[i]
		all = append(all, change{at: n.launched, kind: nodeLaunched, index: int32(i)}, change{at: n.created, kind: nodeAppears, index: int32(i)})
		for j, state := range n.states {
			all = append(all, change{at: state.at, kind: nodeChanges, index: int32(i), state: int32(j)})
		}
		if n.deleted != 0 {
			all = append(all, change{at: n.deleted, kind: nodeGoes, index: int32(i)})
		}
	}
	for i := range s.pods {
		p := &s.pods[i]
		for stage, at := range [...]instant{p.created, p.scheduled, p.running, p.finished, p.deleted} {
			if at != 0 {
				all = append(all, change{at: at, kind: podCreated + changeKind(stage), index: int32(i)})
			}
		}
	}
	slices.SortFunc(all, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind),
			cmp.Compare(a.index, b.index), cmp.Compare(a.state, b.state))
	})
	return all
}

func (s *sweep) run() {
	for _, c := range s.changes() {
		if c.at > s.now {
			s.advance(c.at)
		}
		s.apply(c)
	}
	s.advance(s.window.end)
	s.emitUntil(s.window.end + 1)
}

// advance moves the time to at, without a change.
func (s *sweep) advance(at instant) {
	s.totals.observe(s, max(s.now, s.window.start), at)
	s.served.observe(max(s.now, s.window.start), at)
	s.emitUntil(at)
	s.now = at
	s.pendingMax = max(s.pendingMax, s.standing[stagePending])
}

func (s *sweep) apply(c change) {
	switch c.kind {
	case nodeLaunched:
		s.costs.change(int(c.index), s.nodes[c.index].price, 1)
	case nodeAppears:
		s.nodeAppears(int(c.index))
	case nodeChanges:
		s.nodeChanges(int(c.index), s.nodes[c.index].states[c.state])
	case nodeGoes:
		s.nodeGoes(int(c.index))
	default:
		s.podChanges(int(c.index), c.kind)
	}
}

func (s *sweep) podChanges(i int, kind changeKind) {
	p := &s.pods[i]
	switch kind {
	case podCreated:
		s.created++
		s.move(p, stageNone, stagePending)
	case podScheduled:
		s.move(p, stagePending, stageStarting)
		s.place(i)
	case podRunning:
		s.move(p, stageStarting, stageRunning)
	case podFinished:
		s.unplace(i)
		s.move(p, p.stageBefore(podFinished), p.finalStage())
	case podDeleted:
		s.unplace(i)
		s.move(p, p.stageBefore(podDeleted), stageNone)
		s.deleted++
	}
}

// finalStage returns the stage of the pod once it is finished.
func (p *podRecord) finalStage() stage {
	alive := *p
	alive.deleted = 0
	return alive.stage()
}

func (p *podRecord) stageBefore(kind changeKind) stage {
	before := *p
	before.deleted = 0
	if kind == podFinished {
		before.finished = 0
	}
	return before.stage()
}

func (s *sweep) move(p *podRecord, from, to stage) {
	s.standing[from]--
	s.standing[to]++
	switch {
	case from == stagePending:
		s.pending.sub(p.requests)
	case from == stageStarting || from == stageRunning:
		s.requested.sub(p.requests)
	}
	switch {
	case to == stagePending:
		s.pending.add(p.requests)
	case to == stageStarting || to == stageRunning:
		s.requested.add(p.requests)
	}
}

// place counts a pod on its node.
func (s *sweep) place(pod int) {
	node, ok := s.byName[s.pods[pod].node]
	if !ok {
		return
	}
	s.podNode[pod] = int32(node)
	n := &s.onNode[node]
	n.used.add(s.pods[pod].requests)
	if s.nodes[node].price > 0 {
		s.served.place(node, &s.pods[pod])
	}
	n.dirty = true
}

func (s *sweep) unplace(pod int) {
	node := s.podNode[pod]
	if node < 0 {
		return
	}
	s.podNode[pod] = -1
	n := &s.onNode[node]
	n.used.sub(s.pods[pod].requests)
	if n.alive && s.nodes[node].price > 0 {
		s.served.unplace(int(node), &s.pods[pod])
	}
	n.dirty = true
}

func (s *sweep) nodeAppears(i int) {
	s.byName[s.nodes[i].name] = i
	s.onNode[i].alive = true
	s.live++
	// The allocatable resources of a new node may be known a little later; the first known ones count.
	if len(s.nodes[i].states) > 0 {
		s.onNode[i].state = nodeState{allocatable: s.nodes[i].states[0].allocatable}
	}
	s.nodeRow(i, s.nodes[i].created)
}

func (s *sweep) nodeChanges(i int, state nodeState) {
	n := &s.onNode[i]
	if n.state.ready {
		s.liveReady--
		s.ready.sub(n.state.allocatable)
	}
	n.dirty = n.dirty || !slices.Equal(n.state.allocatable, state.allocatable)
	n.state = state
	if state.ready {
		s.liveReady++
		s.ready.add(state.allocatable)
	}
}

func (s *sweep) nodeGoes(i int) {
	n := &s.onNode[i]
	s.nodeRow(i, s.nodes[i].deleted)
	s.live--
	if n.state.ready {
		s.liveReady--
		s.ready.sub(n.state.allocatable)
	}
	n.alive = false
	s.costs.change(i, s.nodes[i].price, -1)
	s.served.nodeGoes(i)
	if s.byName[s.nodes[i].name] == i {
		delete(s.byName, s.nodes[i].name)
	}
}

// maxRows is the maximum number of rows of a timeline, without the one at its end. maxNodeRows is
// the maximum number of rows of nodes.parquet that are due to times of the timeline.
const (
	maxRows     = 2000
	maxNodeRows = 400_000
)

// steps are the intervals a timeline may have, in trace time.
var steps = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// gridOf returns the times of the timeline, on the clock: every step from the start, and the end.
func gridOf(w window) []instant {
	length := time.Duration(float64(w.end-w.start) * w.times.speed()) // trace time
	step := steps[len(steps)-1]
	for _, candidate := range steps {
		if length/candidate < maxRows {
			step = candidate
			break
		}
	}
	for length/step >= maxRows {
		step *= 2
	}
	var grid []instant
	for n := time.Duration(0); n*step < length; n++ {
		grid = append(grid, w.start+instant(float64(n*step)/w.times.speed()))
	}
	return append(grid, w.end)
}
