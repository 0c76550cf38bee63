package results

import (
	"slices"
	"time"
)

// emitUntil writes the rows of the times before at, with the current state.
func (s *sweep) emitUntil(at instant) {
	for s.nextGrid < len(s.grid) && s.grid[s.nextGrid] < at {
		g := s.grid[s.nextGrid]
		s.timeline = append(s.timeline, s.row(g))
		if s.nextGrid%s.nodeEvery == 0 || s.nextGrid == len(s.grid)-1 {
			for i := range s.onNode {
				if s.onNode[i].alive && s.onNode[i].dirty {
					s.nodeRow(i, g)
				}
			}
		}
		s.nextGrid++
		s.pendingMax = s.standing[stagePending]
	}
}

func (s *sweep) row(at instant) TimelineRow {
	row := TimelineRow{
		Time:                   s.window.trace(at),
		Pending:                int32(s.standing[stagePending]),
		Starting:               int32(s.standing[stageStarting]),
		Running:                int32(s.standing[stageRunning]),
		Succeeded:              int32(s.standing[stageSucceeded]),
		Failed:                 int32(s.standing[stageFailed]),
		PendingMax:             int32(max(s.pendingMax, s.standing[stagePending])),
		CreatedTotal:           int32(s.created),
		DeletedTotal:           int32(s.deleted),
		Nodes:                  int32(s.live),
		NodesReady:             int32(s.liveReady),
		CPURequestedMillis:     s.requested.at(numberCPU),
		CPUPendingMillis:       s.pending.at(numberCPU),
		CPUAllocatableMillis:   s.ready.at(numberCPU),
		MemoryRequestedBytes:   s.requested.at(numberMemory),
		MemoryPendingBytes:     s.pending.at(numberMemory),
		MemoryAllocatableBytes: s.ready.at(numberMemory),
		GPUsRequested:          s.requested.at(numberGPUs),
		GPUsPending:            s.pending.at(numberGPUs),
		GPUsAllocatable:        s.ready.at(numberGPUs),
	}
	for _, number := range append([]int{numberPods}, s.others...) {
		r := TimelineResource{
			Resource:  s.table.names[number],
			Requested: s.requested.at(number), Pending: s.pending.at(number), Allocatable: s.ready.at(number),
		}
		if r.Requested != 0 || r.Pending != 0 || r.Allocatable != 0 {
			row.Resources = append(row.Resources, r)
		}
	}
	row.Costs, row.LowerBoundPerHour = s.costs.row(), s.served.perHour()
	var lags []time.Duration
	for s.nextEvent < len(s.events) && instantOf(s.events[s.nextEvent].Started) <= at {
		lags = append(lags, s.events[s.nextEvent].Lag)
		s.nextEvent++
	}
	slices.Sort(lags)
	row.Events = int32(len(lags))
	row.LagP99Seconds = round(quantile(lags, 0.99).Seconds())
	row.LagMaxSeconds = round(quantile(lags, 1).Seconds())
	return row
}

// nodeRow writes a row of a node.
func (s *sweep) nodeRow(i int, at instant) {
	n, load := &s.nodes[i], &s.onNode[i]
	load.dirty = false
	row := NodeRow{
		Node:                   n.name,
		Time:                   s.window.trace(at),
		Pods:                   int32(load.used.at(numberPods)),
		CPUMillis:              load.used.at(numberCPU),
		MemoryBytes:            load.used.at(numberMemory),
		GPUs:                   load.used.at(numberGPUs),
		Created:                s.window.trace(n.created),
		Ready:                  s.window.trace(n.ready),
		Deleted:                s.window.trace(n.deleted),
		CPUAllocatableMillis:   load.state.allocatable.at(numberCPU),
		MemoryAllocatableBytes: load.state.allocatable.at(numberMemory),
		GPUsAllocatable:        load.state.allocatable.at(numberGPUs),
		PodsAllocatable:        load.state.allocatable.at(numberPods),
		InstanceType:           n.instanceType,
		Zone:                   n.zone,
		CapacityType:           n.capacityType,
		NodePool:               n.pool,
		PricePerHour:           n.price,
	}
	for _, number := range s.others {
		r := NodeResource{
			Resource: s.table.names[number], Requested: load.used.at(number), Allocatable: load.state.allocatable.at(number),
		}
		if r.Requested != 0 || r.Allocatable != 0 {
			row.Resources = append(row.Resources, r)
		}
	}
	if last := len(load.rows) - 1; last >= 0 && load.rows[last].Time.Equal(row.Time) {
		load.rows[last] = row
		return
	}
	load.rows = append(load.rows, row)
}

func (s *sweep) nodeRows() []NodeRow {
	var rows []NodeRow
	for i := range s.onNode {
		rows = append(rows, s.onNode[i].rows...)
	}
	return rows
}

// totals are the integrals over the window, in units times nanoseconds of the clock, and the peaks.
type totals struct {
	nodes     float64
	peakNodes int
	peakPods  PodPeaks
	resources []resourceTotals // by number
}

type resourceTotals struct {
	allocatable, requested                     float64
	peakAllocatable, peakRequested, peakDemand int64
	peakUtilization                            float64
}

// observe adds the state between two times.
func (t *totals) observe(s *sweep, from, to instant) {
	if to <= from {
		return
	}
	length := float64(to - from)
	t.nodes += float64(s.live) * length
	t.peakNodes = max(t.peakNodes, s.live)

	running := s.standing[stageRunning]
	existing := s.standing[stagePending] + s.standing[stageStarting] + running +
		s.standing[stageSucceeded] + s.standing[stageFailed]
	t.peakPods.PeakExisting = max(t.peakPods.PeakExisting, existing)
	t.peakPods.PeakRunning = max(t.peakPods.PeakRunning, running)
	t.peakPods.PeakPending = max(t.peakPods.PeakPending, s.standing[stagePending])

	if t.resources == nil {
		t.resources = make([]resourceTotals, len(s.table.names))
	}
	for number := range t.resources {
		t.resources[number].observe(s.ready.at(number), s.requested.at(number), s.pending.at(number), length)
	}
}

func (t *resourceTotals) observe(ready, requested, pending int64, length float64) {
	t.allocatable += float64(ready) * length
	t.requested += float64(requested) * length
	t.peakAllocatable = max(t.peakAllocatable, ready)
	t.peakRequested = max(t.peakRequested, requested)
	t.peakDemand = max(t.peakDemand, requested+pending)
	if ready > 0 {
		t.peakUtilization = max(t.peakUtilization, float64(requested)/float64(ready))
	}
}
