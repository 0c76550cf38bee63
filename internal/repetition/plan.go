package repetition

import "context"

// An estimate of the memory of a simulation, until one has run. It is rather too high: two
// simulations that do not fit cost more than one that waits. The figures are from
// docs/contributing/benchmarks.md.
const (
	// baseMemory is the memory of a control plane with a thousand pods and some dozens of nodes, and
	// half of that again.
	baseMemory = 3 << 29
	// memoryPerNode is added for each simulated node: its objects in etcd, in the API server's cache
	// and in the informers that watch nodes.
	memoryPerNode = 512 << 10
)

// EstimateMemory returns an estimate of the bytes that a simulation needs, from its number of
// nodes: 0 if not known.
func EstimateMemory(nodes int) int64 {
	return baseMemory + int64(nodes)*memoryPerNode
}

// Plan decides how many runs there are, and how many at once.
type Plan struct {
	// Count is the number of runs.
	Count int
	// Parallel is the maximum number of runs at once; 0 to decide by cores and memory.
	Parallel int
	// Cores is the number of processors.
	Cores int
	// Memory returns how much memory another run could use now, in bytes; it is called before each
	// start. If it returns false or is nil, only cores decide.
	Memory func() (int64, bool)
	// Estimate is what a run is assumed to need until one has ended.
	Estimate int64
}

// Job is a run to start.
type Job struct {
	// Number counts from 1.
	Number int
	Share  Share
}

// Share is the share of the machine that a run may use, so that runs side by side do not each use
// all of it; zero if it runs alone.
type Share struct {
	// Cores is how many processors it may use.
	Cores int
	// Memory is the limit in bytes for its garbage collector; 0 for no limit.
	Memory int64
}

// Ended is what the next runs need to know of one that has ended.
type Ended struct {
	// PeakMemory is its peak memory in bytes; 0 if not known.
	PeakMemory int64
	// Whole is true if it ran to its end, so that another run does not need much more.
	Whole bool
}

// Run starts the runs in order, each in a goroutine of its own, and returns when all that were
// started have ended. It returns their number. One run is always started, whatever the memory. When
// ctx has ended no more runs are started; run has the same ctx and must end those that were.
func (p Plan) Run(ctx context.Context, run func(context.Context, Job) Ended) (started int) {
	need := need{estimate: p.Estimate}
	total, known := p.memory()
	ended := make(chan Ended)
	running := 0
	for {
		for ctx.Err() == nil && started < p.Count && p.admits(running, total, known, need.bytes()) {
			started++
			running++
			job := Job{Number: started, Share: p.share(total, known, need.bytes())}
			go func() { ended <- run(ctx, job) }()
		}
		if running == 0 {
			return started
		}
		need.learn(<-ended)
		running--
	}
}

// width returns how many runs may run at once if each needs so many bytes of a total.
func (p Plan) width(total int64, known bool, need int64) int {
	width := p.Parallel
	if width == 0 {
		width = max(1, p.Cores)
		if known && need > 0 {
			width = min(width, int(total/need))
		}
	}
	return max(1, min(width, p.Count))
}

// admits reports whether one more run may start. The memory that was available at first limits all
// runs together, because they are still growing; what is available now limits the new one, because
// other processes use memory, too.
func (p Plan) admits(running int, total int64, known bool, need int64) bool {
	switch {
	case running == 0:
		return true
	case running >= p.width(total, known, need):
		return false
	case p.Parallel > 0:
		return true
	}
	now, tells := p.memory()
	return !tells || now >= need
}

func (p Plan) memory() (int64, bool) {
	if p.Memory == nil {
		return 0, false
	}
	return p.Memory()
}

func (p Plan) share(total int64, known bool, need int64) Share {
	width := p.width(total, known, need)
	if width == 1 {
		return Share{}
	}
	share := Share{Cores: max(1, p.Cores/width)}
	// A limit below what a run needs would not limit it, but make it collect garbage all the time.
	if each := total / int64(width); known && each >= need {
		share.Memory = each
	}
	return share
}

// need is what a run is assumed to need.
type need struct {
	estimate int64
	peak     int64 // the most seen
	whole    bool  // whether one came to its end
}

// bytes returns the estimate until a run has run to its end, unless another one used more.
func (n *need) bytes() int64 {
	if n.whole {
		return n.peak
	}
	return max(n.estimate, n.peak)
}

func (n *need) learn(e Ended) {
	n.peak = max(n.peak, e.PeakMemory)
	n.whole = n.whole || e.Whole && e.PeakMemory > 0
}
