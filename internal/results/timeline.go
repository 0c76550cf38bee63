package results

import (
	"slices"
	"time"
)

// emitUntil writes the rows of the instants before at, of the state as it stands.
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
		CPURequestedMillis:     s.requested.cpuMillis,
		CPUPendingMillis:       s.pending.cpuMillis,
		CPUAllocatableMillis:   s.ready.cpuMillis,
		MemoryRequestedBytes:   s.requested.memoryBytes,
		MemoryPendingBytes:     s.pending.memoryBytes,
		MemoryAllocatableBytes: s.ready.memoryBytes,
		GPUsRequested:          s.requested.gpus,
		GPUsPending:            s.pending.gpus,
		GPUsAllocatable:        s.ready.gpus,
	}
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

// nodeRow writes what stands on a node.
func (s *sweep) nodeRow(i int, at instant) {
	n, load := &s.nodes[i], &s.onNode[i]
	load.dirty = false
	row := NodeRow{
		Node:                   n.name,
		Time:                   s.window.trace(at),
		Pods:                   load.pods,
		CPUMillis:              load.used.cpuMillis,
		MemoryBytes:            load.used.memoryBytes,
		GPUs:                   load.used.gpus,
		Created:                s.window.trace(n.created),
		Ready:                  s.window.trace(n.ready),
		Deleted:                s.window.trace(n.deleted),
		CPUAllocatableMillis:   load.state.allocatable.cpuMillis,
		MemoryAllocatableBytes: load.state.allocatable.memoryBytes,
		GPUsAllocatable:        load.state.allocatable.gpus,
		PodsAllocatable:        load.state.pods,
		InstanceType:           n.instanceType,
		Zone:                   n.zone,
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
	nodes                float64
	allocatable, used    [3]float64 // cpu in millicores, memory in bytes, GPUs
	peakNodes            int
	peakPods             PodPeaks
	peakAllocatable      [3]int64
	peakUsed, peakDemand [3]int64
	peakUtilization      [3]float64
}

// observe takes in the state as it stood from one instant to another.
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

	ready, requested, pending := s.ready.list(), s.requested.list(), s.pending.list()
	for i := range ready {
		t.allocatable[i] += float64(ready[i]) * length
		t.used[i] += float64(requested[i]) * length
		t.peakAllocatable[i] = max(t.peakAllocatable[i], ready[i])
		t.peakUsed[i] = max(t.peakUsed[i], requested[i])
		t.peakDemand[i] = max(t.peakDemand[i], requested[i]+pending[i])
		if ready[i] > 0 {
			t.peakUtilization[i] = max(t.peakUtilization[i], float64(requested[i])/float64(ready[i]))
		}
	}
}

func (a amounts) list() [3]int64 { return [3]int64{a.cpuMillis, a.memoryBytes, a.gpus} }
