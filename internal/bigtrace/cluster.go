package bigtrace

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"simkube.io/simkube/trace"
)

// cluster is the state of the generated cluster.
type cluster struct {
	random  *rand.Rand
	members []*member
	// fixed is the number of members at the start that never change: the others use them.
	fixed  int
	now    int64
	parser trace.ObjectParser
	event  trace.Event
	busy   []*member // those of the current event
	pods   trace.Lifecycles
}

// startTime is a Wednesday, 00:00 UTC.
const startTime = 1_767_744_000

const (
	namespaces    = 40
	secondsInHour = 3600
	hoursInDay    = 24
)

func newCluster(opts Options) (*cluster, error) {
	c := &cluster{random: rand.New(rand.NewPCG(opts.Seed, 1)), now: startTime, pods: trace.Lifecycles{}}
	for ns := range namespaces {
		for _, m := range sharedObjects(ns) {
			if err := c.add(m); err != nil {
				return nil, err
			}
		}
	}
	c.fixed = len(c.members)
	for n := range opts.Objects {
		if err := c.add(workload(n, opts.EventBytes*objectPercent/100)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// objectPercent is the size of an object relative to an event: most events have one object, some
// more.
const objectPercent = 90

func (c *cluster) add(b blueprint) error {
	m, err := build(b)
	if err != nil {
		return fmt.Errorf("generate %s: %w", b.manifest["kind"], err)
	}
	c.members = append(c.members, m)
	return nil
}

// first returns the event with the initial objects: all but the Jobs and half of the pods.
func (c *cluster) first() (*trace.Event, error) {
	c.begin()
	for i, m := range c.members {
		if m.lifetime == passing && i%2 == 0 || m.lifetime == brief {
			continue
		}
		if err := c.apply(m); err != nil {
			return nil, err
		}
	}
	return &c.event, nil
}

// next returns the next event.
func (c *cluster) next() (*trace.Event, error) {
	c.now += 1 + int64(c.random.IntN(c.maxPause()))
	c.begin()
	for range c.actions() {
		m := c.pick()
		if slices.Contains(c.busy, m) {
			continue
		}
		c.busy = append(c.busy, m)
		if err := c.act(m); err != nil {
			return nil, err
		}
	}
	return &c.event, nil
}

func (c *cluster) begin() {
	c.event = trace.Event{Time: c.now, Applied: c.event.Applied[:0], Deleted: c.event.Deleted[:0]}
	c.busy = c.busy[:0]
}

// maxPause returns the maximum number of seconds between two events: few by day, more by night.
func (c *cluster) maxPause() int {
	hour := int(c.now / secondsInHour % hoursInDay)
	return 1 + max(hour-14, 14-hour)/3
}

// actions returns the number of objects of an event.
func (c *cluster) actions() int {
	switch n := c.random.IntN(100); {
	case n < 2:
		return 3 + c.random.IntN(6)
	case n < 14:
		return 2
	}
	return 1
}

// pick returns a random object for a change. A tenth of the objects get half of the changes.
func (c *cluster) pick() *member {
	n := len(c.members) - c.fixed
	if c.random.IntN(2) == 0 {
		n = max(1, n/10)
	}
	return c.members[c.fixed+c.random.IntN(n)]
}

// act makes the next change to an object.
func (c *cluster) act(m *member) error {
	if !m.alive {
		m.stage = 0
		m.change(0, c.random.IntN(100))
		m.created = c.now
		return c.apply(m)
	}
	chance := c.random.IntN(1000)
	switch {
	case m.lifetime == permanent && chance < 5, m.lifetime != permanent && m.stage == m.lastStage():
		return c.remove(m)
	case m.lifetime == permanent && chance < 30:
		return c.apply(m) // unchanged
	}
	m.stage++
	m.change(chance, c.random.IntN(100))
	return c.apply(m)
}

func (c *cluster) apply(m *member) error {
	obj, err := c.parser.Parse(m.raw)
	if err != nil {
		return err
	}
	m.alive, m.seen = true, true
	c.event.Applied = append(c.event.Applied, obj)
	return nil
}

func (c *cluster) remove(m *member) error {
	m.alive = false
	c.event.Deleted = append(c.event.Deleted, m.reference)
	if m.lifetime != permanent {
		c.record(m, trace.Lifecycle{State: trace.Finished, Start: m.created + 2, End: max(m.created+2, c.now-1)})
	}
	return nil
}

func (c *cluster) record(m *member, l trace.Lifecycle) {
	if c.pods[m.owner] == nil {
		c.pods[m.owner] = map[uint64][]trace.Lifecycle{}
	}
	c.pods[m.owner][m.podHash] = append(c.pods[m.owner][m.podHash], l)
}

// tail returns the index and the lifecycles: those recorded, and those of the pods that still run.
func (c *cluster) tail() (*trace.Tail, error) {
	index := trace.Index{}
	for _, m := range c.members {
		if !m.seen {
			continue
		}
		obj, err := c.parser.Parse(m.raw)
		if err != nil {
			return nil, err
		}
		index.Record(&trace.Event{Applied: []trace.Object{obj}})
		switch {
		case !m.hasPods:
		case m.lifetime == permanent:
			c.recordMany(m)
		case m.alive:
			c.record(m, trace.Lifecycle{State: trace.Running, Start: m.created + 2})
		}
	}
	return &trace.Tail{Index: index, Lifecycles: c.pods}, nil
}

// recordMany records pods of something that always has some.
func (c *cluster) recordMany(m *member) {
	span := max(1, c.now-startTime)
	for range 1 + c.random.IntN(12) {
		l := trace.Lifecycle{State: trace.Running, Start: startTime + c.random.Int64N(span)}
		switch n := c.random.IntN(20); {
		case n == 0:
			l = trace.Lifecycle{}
		case n < 15:
			l.State, l.End = trace.Finished, l.Start+c.random.Int64N(span)
		}
		c.record(m, l)
	}
}
