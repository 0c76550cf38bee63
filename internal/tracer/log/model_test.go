package log

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/trace"
)

// model is the expected contents of a log: everything that was appended, in a slice.
type model struct {
	entries []modelEntry // the first has number 1
}

type modelEntry struct {
	time  int64
	entry Entry
}

// before returns the number of entries before a time.
func (m *model) before(ms int64) int {
	return slices.IndexFunc(append(slices.Clone(m.entries), modelEntry{time: 1 << 62}), func(e modelEntry) bool { return e.time >= ms })
}

func (m *model) record(i int) Record {
	return Record{Seq: Seq(i + 1), Time: m.entries[i].time, Change: *m.entries[i].entry.(*Change)}
}

func (m *model) stateAt(begin, ms int64) []Record {
	last := map[Key]Record{}
	for i := range m.before(max(begin, ms)) {
		if _, ok := m.entries[i].entry.(*Change); ok {
			r := m.record(i)
			last[r.Key] = r
		}
	}
	var all []Record
	for _, r := range last {
		if r.Op == Applied {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Record) int {
		return cmp.Or(strings.Compare(trace.FormatGVK(a.Key.GVK), trace.FormatGVK(b.Key.GVK)), strings.Compare(a.Key.Name, b.Key.Name))
	})
	return all
}

func (m *model) changes(begin, from, to int64) []Record {
	var all []Record
	for i := m.before(max(begin, from)); i < m.before(to); i++ {
		if _, ok := m.entries[i].entry.(*Change); ok {
			all = append(all, m.record(i))
		}
	}
	return all
}

func (m *model) last(begin int64, key Key, seq Seq) *Record {
	first := m.before(begin)
	for i := min(max(first, int(seq)-1), len(m.entries)) - 1; i >= 0; i-- {
		if c, ok := m.entries[i].entry.(*Change); ok && c.Key == key {
			if i < first && c.Op != Applied {
				return nil
			}
			r := m.record(i)
			return &r
		}
	}
	return nil
}

// latest returns the last one of the entries that replace each other, by key.
func latest[T any](m *model, key func(*T) string) map[string]T {
	all := map[string]T{}
	for _, e := range m.entries {
		if v, ok := e.entry.(any).(*T); ok {
			all[key(v)] = *v
		}
	}
	return all
}

func (m *model) pods(begin, from, to int64) []Pod {
	var all []Pod
	for _, p := range latest(m, func(p *Pod) string { return fmt.Sprint(p.UID, p.Created) }) {
		if p.Created < to && (p.Deleted == 0 || p.Deleted >= max(begin, from)) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Pod) int { return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.UID, b.UID)) })
	return all
}

func (m *model) nodes(begin, from, to int64) []Node {
	var all []Node
	for _, n := range latest(m, func(n *Node) string { return fmt.Sprint(n.UID, n.From) }) {
		if n.From < to && (n.To == 0 || n.To > max(begin, from)) {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b Node) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.UID, b.UID)) })
	return all
}

func (m *model) gaps(begin int64) []Gap {
	var all []Gap
	for _, e := range m.entries {
		if g, ok := e.entry.(*Gap); ok && max(g.To, g.From+1) > begin {
			all = append(all, *g)
		}
	}
	return all
}

// simulation applies random operations to a log and to a model of it.
type simulation struct {
	t     *testing.T
	rng   *rand.Rand
	clock *clocktesting.FakeClock
	fs    *vfs.MemFS
	opts  Options
	log   *Log
	model model
	// begin is the last known beginning.
	begin int64
	// held is an older snapshot, with the model at that time.
	held      *Snapshot
	heldModel model
}

func TestLog_Model(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := &simulation{t: t, rng: rand.New(rand.NewPCG(uint64(seed), 1)), clock: newClock(), fs: vfs.NewCrashableMem()}
			s.opts = Options{Clock: s.clock, Retention: 60 * time.Millisecond, fs: s.fs, chunkEntries: 1 + s.rng.IntN(40)}
			if seed%3 == 0 {
				s.opts.Retention = 0
			}
			s.open()
			for range 150 {
				s.step()
			}
			s.compare()
			s.dropHeld()
			s.close()
		})
	}
}

func (s *simulation) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *simulation) open() {
	s.t.Helper()
	l, err := Open("/dir", s.opts)
	s.must(err)
	s.log = l
}

// close closes the log and checks its files.
func (s *simulation) close() {
	s.t.Helper()
	s.must(s.log.Close())
	s.must(check(s.t.Context(), s.fs, "/dir"))
}

func (s *simulation) step() {
	s.t.Helper()
	switch n := s.rng.IntN(100); {
	case n < 60:
		s.append()
	case n < 75:
		s.must(s.log.Retain(s.t.Context()))
		s.compare()
	case n < 80: // like retention by size, which drops everything at once
		now, err := s.log.flush()
		s.must(err)
		_, err = s.log.dropChunk(s.t.Context(), now-s.rng.Int64N(30))
		s.must(err)
		s.compare()
	case n < 85:
		s.must(s.log.db.Flush())
	case n < 88:
		s.dropHeld()
		s.close()
		s.open()
		s.recordGap()
		s.compare()
	case n < 92:
		s.crash()
		s.compare()
	case n < 96:
		s.dropHeld()
		var err error
		s.held, err = s.log.Snapshot()
		s.must(err)
		s.heldModel = model{slices.Clone(s.model.entries)}
	default:
		s.compare()
	}
}

func (s *simulation) append() {
	s.t.Helper()
	for range s.rng.IntN(20) {
		s.clock.Step(time.Duration(s.rng.IntN(3)) * time.Millisecond)
		var entries []Entry
		for range 1 + s.rng.IntN(4) {
			entries = append(entries, s.entry())
		}
		seq, err := s.log.Append(s.t.Context(), entries...)
		s.must(err)
		for _, e := range entries {
			s.model.entries = append(s.model.entries, modelEntry{time: s.clock.Now().UnixMilli(), entry: e})
		}
		if int(seq) != len(s.model.entries) {
			s.t.Fatalf("appended: got number %d, want %d", seq, len(s.model.entries))
		}
	}
}

func (s *simulation) key() Key {
	name := fmt.Sprintf("ns-%d/%c", s.rng.IntN(2), 'a'+s.rng.IntN(6))
	if s.rng.IntN(2) == 0 {
		return deployment(name)
	}
	return service(name)
}

func (s *simulation) entry() Entry {
	now := s.clock.Now().UnixMilli()
	switch n := s.rng.IntN(20); {
	case n < 12:
		c := applied(s.key(), strings.Repeat("x", s.rng.IntN(30)))
		c.Hash = s.rng.Uint64()
		if s.rng.IntN(3) == 0 {
			c.Ancestors, c.References = []Key{s.key(), s.key()}, []byte("refs")
		}
		return c
	case n < 14:
		return gone(s.key())
	case n < 15:
		return &Change{Op: Forgotten, Key: s.key(), UID: "odd uid"}
	case n < 18:
		p := &Pod{UID: fmt.Sprint(s.rng.IntN(20)), Name: "p", Created: start + s.rng.Int64N(5)*40, Hash: s.rng.Uint64()}
		if s.rng.IntN(2) == 0 {
			p.Deleted = now - s.rng.Int64N(20)
		}
		return p
	case n < 19:
		node := &Node{UID: fmt.Sprint(s.rng.IntN(4)), Name: "n", From: start + s.rng.Int64N(5)*40, Shape: []byte("shape")}
		if s.rng.IntN(2) == 0 {
			node.To = now - s.rng.Int64N(20)
		}
		return node
	default:
		return &Gap{From: now - s.rng.Int64N(10), To: now}
	}
}

// crash continues with everything that was certainly on disk, and some of what was not.
func (s *simulation) crash() {
	s.t.Helper()
	s.dropHeld()
	durable := s.log.Stats().Durable
	crashed := s.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: s.rng.IntN(101), RNG: rand.New(rand.NewPCG(s.rng.Uint64(), 1))})
	s.must(s.log.Close())
	s.fs, s.opts.fs = crashed, crashed
	s.open()
	kept := s.log.Stats().Appended
	if kept > 0 {
		kept-- // without the gap
	}
	if kept < durable || int(kept) > len(s.model.entries) {
		s.t.Fatalf("after a crash: got %d entries, want from %d to %d", kept, durable, len(s.model.entries))
	}
	s.model.entries = s.model.entries[:kept]
	s.begin = 0 // moving the beginning need not be durable
	if kept > 0 {
		s.recordGap()
	}
}

// recordGap adds the gap that Open appended to the model.
func (s *simulation) recordGap() {
	s.t.Helper()
	snap := snapshot(s.t, s.log)
	defer snap.Close()
	if int(snap.end.seq) != len(s.model.entries)+1 && len(s.model.entries) > 0 {
		s.t.Fatalf("got %d entries, want %d and a gap", snap.end.seq, len(s.model.entries))
	}
	var last *Gap
	for g, err := range snap.Gaps(0, 1<<62) {
		s.must(err)
		own := *g
		last = &own
	}
	if last != nil && len(s.model.entries) > 0 {
		s.model.entries = append(s.model.entries, modelEntry{time: snap.end.time, entry: last})
	}
}

func (s *simulation) dropHeld() {
	s.t.Helper()
	if s.held == nil {
		return
	}
	s.compareTo(s.held, &s.heldModel)
	s.must(s.held.Close())
	s.held = nil
}

func (s *simulation) compare() {
	s.t.Helper()
	snap := snapshot(s.t, s.log)
	defer snap.Close()
	if snap.Begin() < s.begin {
		s.t.Fatalf("beginning: got %d, want it not before %d", snap.Begin(), s.begin)
	}
	s.begin = snap.Begin()
	s.compareTo(snap, &s.model)
	s.must(snap.Check(s.t.Context()))

	objects := s.model.stateAt(snap.Begin(), 1<<61)
	for i := range objects {
		objects[i].Object, objects[i].References, objects[i].Ancestors = nil, nil, nil
	}
	equal(s.t, "objects", collect(s.t, s.log.Objects()), objects)
	live := slices.DeleteFunc(s.model.pods(0, 0, 1<<61), func(p Pod) bool { return p.Deleted != 0 })
	equal(s.t, "live pods", collect(s.t, s.log.LivePods()), live)
	nodes := slices.DeleteFunc(s.model.nodes(0, 0, 1<<61), func(n Node) bool { return n.To != 0 })
	equal(s.t, "live nodes", collect(s.t, s.log.LiveNodes()), nodes)
}

func (s *simulation) compareTo(snap *Snapshot, m *model) {
	s.t.Helper()
	begin, span := snap.Begin(), s.clock.Now().UnixMilli()-start+10
	some := func() int64 { return start - 5 + s.rng.Int64N(span) }
	for range 3 {
		ms := some()
		equal(s.t, fmt.Sprintf("state at %d of %d", ms, begin), collect(s.t, snap.StateAt(ms)), m.stateAt(begin, ms))
		from, to := some(), some()
		equal(s.t, "changes", collect(s.t, snap.Changes(from, to)), m.changes(begin, from, to))
		equal(s.t, "pods", collect(s.t, snap.Pods(from, to)), m.pods(begin, from, to))
		equal(s.t, "nodes", collect(s.t, snap.Nodes(from, to)), m.nodes(begin, from, to))
		key, seq := s.key(), Seq(1+s.rng.IntN(len(m.entries)+2))
		got, err := snap.Before(key, seq)
		s.must(err)
		equal(s.t, fmt.Sprintf("last of %s before %d", key.Name, seq), got, m.last(begin, key, seq))
		got, err = snap.At(key, ms)
		s.must(err)
		equal(s.t, fmt.Sprintf("last of %s before time %d", key.Name, ms), got, m.last(begin, key, Seq(m.before(max(begin, ms))+1)))
	}
	equal(s.t, "gaps", collect(s.t, snap.Gaps(begin, 1<<62)), m.gaps(begin))
}
