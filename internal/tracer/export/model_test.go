package export

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// randomHistory returns a history of few objects with many changes.
func randomHistory(r *rand.Rand) *history {
	h := &history{begin: 1_000, now: 160_000}
	names := []string{"a/x", "a/y", "b/x"}
	at := int64(1_000)
	for range 30 + r.IntN(300) {
		at += int64(r.ExpFloat64() * 400)
		if at >= h.now {
			break
		}
		name := names[r.IntN(len(names))]
		kind := []string{"Deployment", "ReplicaSet", "Pod", "Secret"}[r.IntN(4)]
		object := kind + " " + name
		switch n := r.IntN(10); {
		case n < 2:
			h.delete(at, object)
		case n < 3:
			h.forget(at, object)
		default:
			var more []any
			if r.IntN(3) == 0 {
				more = append(more, []string{"app=1", "app=2", "debug="}[r.IntN(3)])
			}
			if kind == "Pod" && r.IntN(2) == 0 {
				more = append(more, keyOf("ReplicaSet "+name))
			}
			if kind != "Deployment" && r.IntN(2) == 0 {
				more = append(more, keyOf("Deployment "+name))
			}
			if kind != "Deployment" && r.IntN(4) == 0 {
				more = append(more, reference{schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, "x"})
			}
			h.apply(at, object, r.IntN(1000), more...)
		}
	}
	return h
}

func randomFilters(t testing.TB, r *rand.Rand) Filters {
	var f Filters
	if r.IntN(4) == 0 {
		f.ExcludedNamespaces = []string{"b"}
	}
	if r.IntN(4) == 0 {
		f.IncludedNamespaces = []string{"a"}
	}
	if r.IntN(2) == 0 {
		f.ExcludedLabels = selectors(t, []string{"app=1", "debug", "app!=2"}[r.IntN(3)])
	}
	if r.IntN(4) == 0 {
		f.IncludedLabels = selectors(t, "app", "debug")
	}
	return f
}

// model is a simple implementation of what is in a trace.
type model struct {
	h       *history
	request Request
}

// passes reports whether an object passes the filters as it was applied.
func (m *model) passes(r *log.Record) bool {
	if _, ok := testConfig().TrackedObjects[r.Key.GVK]; !ok {
		return false
	}
	namespace, _ := trace.SplitNamespacedName(r.Key.Name)
	obj, err := trace.ParseObject(r.Object)
	if err != nil {
		panic(err)
	}
	set := labels.Set(obj.Labels().Map())
	f := &m.request.Filters
	for _, n := range f.ExcludedNamespaces {
		if n == namespace {
			return false
		}
	}
	included := len(f.IncludedNamespaces) == 0
	for _, n := range f.IncludedNamespaces {
		included = included || n == namespace
	}
	for _, s := range f.ExcludedLabels {
		if s.Matches(set) {
			return false
		}
	}
	labelled := len(f.IncludedLabels) == 0
	for _, s := range f.IncludedLabels {
		labelled = labelled || s.Matches(set)
	}
	return included && labelled
}

// in reports whether an object is in the trace as it was applied.
func (m *model) in(r *log.Record) bool {
	if !m.passes(r) {
		return false
	}
	owners := append([]log.Key{}, r.Ancestors...)
	if len(r.References) > 0 {
		owners = append(owners, log.Key{GVK: replicaSetKind, Name: r.Key.Name[:2] + "x"})
	}
	for _, key := range owners {
		if key == r.Key {
			continue
		}
		var before, after *log.Record
		for i := range m.h.records {
			if o := &m.h.records[i]; o.Key == key && o.Op == log.Applied && o.Time < m.request.End*1000 {
				if o.Seq < r.Seq {
					before = o
				} else {
					after = o
				}
			}
		}
		if before == nil {
			before = after
		}
		if before != nil && m.passes(before) {
			return false
		}
	}
	return true
}

// at returns the objects in the trace after everything before a time.
func (m *model) at(ms int64) map[string]string {
	state := map[log.Key]*log.Record{}
	begun := max(m.request.Start*1000, m.h.begin)
	lost := map[log.Key]*log.Record{} // forgotten within the window: it stays as it was
	for i := range m.h.records {
		r := &m.h.records[i]
		if r.Time >= ms {
			break
		}
		was := state[r.Key]
		delete(state, r.Key)
		switch r.Op {
		case log.Applied:
			if m.in(r) {
				state[r.Key] = r
				delete(lost, r.Key)
			}
		case log.Forgotten:
			if was != nil && r.Time >= begun {
				lost[r.Key] = was
			}
		}
	}
	for key, r := range lost {
		if state[key] == nil {
			state[key] = r
		}
	}
	got := map[string]string{}
	for key, r := range state {
		got[key.GVK.Kind+" "+key.Name] = string(r.Object)
	}
	return got
}

// TestRun_Model compares random traces with the model event by event, from memory, from files, and
// from a real log.
func TestRun_Model(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := &model{h: randomHistory(r), request: Request{Start: int64(r.IntN(100)), Filters: randomFilters(t, r)}}
		m.request.End = m.request.Start + 2 + int64(r.IntN(100))
		data, summary := mustBytes(t, m.h, m.request, Options{Extension: true})
		tr, err := trace.Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		checkTrace(t, tr, summary)
		m.follow(t, tr)
		if t.Failed() {
			t.Fatalf("seed %d, %+v", seed, m.request)
		}
		for _, cached := range []int{1, 3} {
			if again, _ := mustBytes(t, m.h, m.request, Options{Extension: true, cached: cached}); !bytes.Equal(again, data) {
				t.Fatalf("seed %d, remembering %d objects: another trace", seed, cached)
			}
		}
		if seed%5 > 0 {
			continue
		}
		if again, _ := mustBytes(t, m.h.logged(t), m.request, Options{Extension: true, memory: 300}); !bytes.Equal(again, data) {
			t.Fatalf("seed %d: another trace of a real log", seed)
		}
	}
}

func (m *model) follow(t *testing.T, tr *trace.Trace) {
	t.Helper()
	state := map[string]string{}
	begun := max(m.request.Start*1000, m.h.begin)
	for i := range tr.Events {
		e := &tr.Events[i]
		seen := map[string]bool{}
		for j := range e.Applied {
			key := e.Applied[j].GVK().Kind + " " + e.Applied[j].NamespacedName()
			if seen[key] {
				t.Errorf("event %d applies %s twice", i, key)
			}
			seen[key] = true
			state[key] = string(e.Applied[j].Raw())
		}
		for j := range e.Deleted {
			key := e.Deleted[j].GVK().Kind + " " + e.Deleted[j].NamespacedName()
			if _, there := state[key]; !there {
				t.Errorf("event %d deletes %s, which is not there", i, key)
			}
			delete(state, key)
		}
		until := (e.Time + 1) * 1000
		if i == 0 {
			until = begun
		}
		if i+1 < len(tr.Events) && i > 0 && tr.Events[i+1].Time == e.Time {
			continue
		}
		if diff := cmp.Diff(m.at(until), state); diff != "" {
			t.Errorf("after event %d, at %d (-want +got):\n%s", i, e.Time, diff)
		}
	}
	if diff := cmp.Diff(m.at(m.request.End*1000), state); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	for _, n := range []int{0, 1, 50, 5000} {
		for _, memory := range []int{1, 3000, 1 << 30} {
			t.Run(fmt.Sprint(n, " keys, ", memory, " bytes"), func(t *testing.T) {
				if n == 5000 && memory == 1 {
					t.Skip("a file for each")
				}
				dir := t.TempDir()
				r := rand.New(rand.NewPCG(uint64(n), 0))
				table, want := newTable(dir, memory), map[string]value{}
				for range n {
					key, v := fmt.Sprintf("key %0*d", 1+r.IntN(30), r.IntN(n)), value{r.Uint64(), r.Uint64N(3)}
					want[key] = v
					if err := table.put([]byte(key), v); err != nil {
						t.Fatal(err)
					}
				}
				if err := table.seal(); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					got, last := map[string]value{}, ""
					for e, err := range table.all() {
						if err != nil {
							t.Fatal(err)
						}
						if e.key <= last {
							t.Errorf("after %q: got %q", last, e.key)
						}
						got[e.key], last = e.value, e.key
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				}
				if table.count != int64(len(want)) {
					t.Errorf("count: got %d, want %d", table.count, len(want))
				}
				for key := range want {
					for _, k := range []string{key, key + "x", key[:len(key)-1], ""} {
						_, wantHas := want[k]
						if has, err := table.has([]byte(k)); err != nil || has != wantHas {
							t.Fatalf("has %q: got %t, %v, want %t", k, has, err, wantHas)
						}
					}
				}
				if err := table.close(); err != nil {
					t.Fatal(err)
				}
				noneLeft(t, dir)
			})
		}
	}
}

func TestCache(t *testing.T) {
	c := newCache[int, int](10)
	for i := range 1000 {
		c.put(i, i)
		c.put(i, -i)
		for j := max(0, i-9); j <= i; j++ {
			if v, ok := c.get(j); !ok || v != -j {
				t.Fatalf("after %d: of %d got %d, %t", i, j, v, ok)
			}
		}
		if n := len(c.young) + len(c.old); n > 20 {
			t.Fatalf("after %d: it has %d", i, n)
		}
	}
	c.drop(999)
	if _, ok := c.get(999); ok {
		t.Error("what was dropped is still there")
	}
}

// FuzzParseReferences checks that every input is parsed or returns an error.
func FuzzParseReferences(f *testing.F) {
	f.Add([]byte{})
	f.Add(referenceTo(reference{schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, "web"}))
	f.Add([]byte{0x91, 0x81, 0xa4, 'n', 'a', 'm', 'e', 0xc0})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		owners, err := parseReferences(data)
		if err == nil && len(owners) > len(data) {
			t.Errorf("got %d references from %d bytes", len(owners), len(data))
		}
	})
}
