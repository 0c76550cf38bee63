package repetition

import "context"

// What a simulation is taken to need before one has told. It is meant to be too much rather than too little: two
// simulations that do not fit cost more than one that waits. The figures stand beside those of docs/contributing/benchmarks.md.
const (
	// baseMemory is that of a control plane with a thousand pods and some dozens of nodes in it, half as much again.
	baseMemory = 3 << 29
	// memoryPerNode comes on top for each simulated node: its objects, in etcd, the API server's cache and the
	// informers of everything that watches nodes.
	memoryPerNode = 512 << 10
)

// EstimateMemory guesses the bytes that a simulation will need, from its number of nodes: 0 where it is not known.
func EstimateMemory(nodes int) int64 {
	return baseMemory + int64(nodes)*memoryPerNode
}

// Plan says how many runs there are to be, and how many at once.
type Plan struct {
	// Count is how many runs are wanted.
	Count int
	// Parallel is how many may go at once; 0 leaves it to cores and memory.
	Parallel int
	// Cores is how many processors there are.
	Cores int
	// Memory tells how much memory a further run could have now, in bytes; it is asked before each start. The
	// answer false means that nobody knows: cores alone decide then. Nil is the same.
	Memory func() (int64, bool)
	// Estimate is what a run is taken to need until one has ended.
	Estimate int64
}

// Job is one run to be started.
type Job struct {
	// Number counts from 1.
	Number int
	Share  Share
}

// Share is what of the machine a run is given, so that those side by side do not each take all of it; zero for a run that has
// it to itself.
type Share struct {
	// Cores is how many processors it may keep busy.
	Cores int
	// Memory is how many bytes its garbage collector may let grow; 0 for no limit.
	Memory int64
}

// Ended is what is learnt from a run for the next.
type Ended struct {
	// PeakMemory is the most it used, in bytes; 0 where not known.
	PeakMemory int64
	// Whole tells that it came to its end, so that another will not need much more.
	Whole bool
}

// Run starts the runs in order, each in a goroutine of its own, and returns when those that were started have ended:
// the number of them. One run always goes, however little there seems to be. Once ctx has ended no further run
// is started; to end those that go is up to run, which has the same ctx.
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

// width is how many runs may go at once if each needs so many bytes of a total.
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

// admits tells whether one more may start beside those that run. What there was at first bounds them together, because those
// that run will still grow; what there is now bounds the new one, because others use the machine, too.
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
	// A limit below what a run needs would not bound it, but have it collect garbage all the time.
	if each := total / int64(width); known && each >= need {
		share.Memory = each
	}
	return share
}

// need is what a run is taken to need.
type need struct {
	estimate int64
	peak     int64 // the most seen
	whole    bool  // whether one came to its end
}

// bytes is the guess until a run has come to its end, unless one that didn't used more.
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
