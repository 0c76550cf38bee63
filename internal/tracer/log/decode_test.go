package log

import (
	"bytes"
	"strings"
	"testing"

	"simkube.io/simkube/trace"
)

// decoded returns changes by their names, for the test and as seeds of the fuzzers.
func decoded() map[string]*Change {
	full := applied(deployment("default/web"), strings.Repeat("content", 20))
	full.References, full.Ancestors = []byte("references"), []Key{service("default/a"), deployment("cluster-wide")}
	odd := applied(service("x"), "c")
	odd.UID = strings.ToUpper(someUID)
	return map[string]*Change{
		"full":       full,
		"bare":       {Op: Applied, Key: service("x")},
		"odd uid":    odd,
		"deleted":    gone(deployment("default/web")),
		"forgotten":  {Op: Forgotten, Key: deployment("default/web"), UID: "not-a-uuid-but-as-long-as-one-is-long"},
		"no uid":     {Op: Deleted, Key: deployment("default/web")},
		"long names": applied(deployment(strings.Repeat("n", 300)), "c"),
	}
}

func TestDecoder_Record(t *testing.T) {
	d := newDecoder()
	for name, want := range decoded() {
		entry := appendChange(nil, start, want)
		var r Record
		if change, err := d.record(entry, 7, &r); err != nil || !change {
			t.Errorf("%s: got %v, %v", name, change, err)
		}
		equal(t, name, r, Record{Change: *want, Seq: 7, Time: start})
		if whole, err := d.version(appendWhole(nil, 9, entry), flattened, &r); err != nil || !whole {
			t.Errorf("%s, whole: got %v, %v", name, whole, err)
		}
		equal(t, name+", whole", r, Record{Change: *want, Seq: 9, Time: start})
		short := Record{Change: Change{Op: want.Op, UID: want.UID, Hash: want.Hash}, Seq: 7, Time: start}
		if whole, err := d.version(appendVersion(nil, start, want), 7, &r); err != nil || whole {
			t.Errorf("%s, pointer: got %v, %v", name, whole, err)
		}
		equal(t, name+", pointer", r, short)
		// Only the object, which has no length, may be cut anywhere.
		for n := range len(entry) - len(want.Object) {
			if _, err := d.record(entry[:n], 7, &r); err == nil {
				t.Fatalf("%s cut at %d: got no error", name, n)
			}
		}
	}
}

// FuzzDecoder_Record checks that encoding what was decoded returns the same bytes.
func FuzzDecoder_Record(f *testing.F) {
	for _, c := range decoded() {
		f.Add(appendChange(nil, start, c))
	}
	f.Add(appendEntryHead(nil, podEntry, start))
	f.Fuzz(func(t *testing.T, entry []byte) {
		var r Record
		change, err := newDecoder().record(entry, 1, &r)
		if err != nil || !change {
			return
		}
		if got := appendChange(nil, r.Time, &r.Change); !bytes.Equal(got, entry) {
			t.Errorf("got %q from %+v, want %q", got, r, entry)
		}
	})
}

func FuzzDecoder_Version(f *testing.F) {
	for _, c := range decoded() {
		f.Add(appendVersion(nil, start, c))
		f.Add(appendWhole(nil, 9, appendChange(nil, start, c)))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var r Record
		whole, err := newDecoder().version(value, 1, &r)
		if err != nil {
			return
		}
		got := appendVersion(nil, r.Time, &r.Change)
		if whole {
			got = appendWhole(nil, r.Seq, appendChange(nil, r.Time, &r.Change))
		}
		if !bytes.Equal(got, value) {
			t.Errorf("got %q from %+v, want %q", got, r, value)
		}
	})
}

func FuzzDecoder_Pod(f *testing.F) {
	p := &Pod{
		UID: "a", Namespace: "default", Name: "a-1", Hash: 1 << 63, Tracked: true, Ancestors: []Key{deployment("default/a")},
		Lifecycle: trace.Lifecycle{State: trace.Running, Start: -5}, Created: start, Scheduled: start + 5, Started: start + 10, Node: "n1",
	}
	f.Add(appendTimeKey(nil, podSpace, p.Created, p.UID), appendPod(nil, 5, p))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		p, seq, err := newDecoder().pod(key, value)
		if err != nil {
			return
		}
		if got := appendPod(nil, seq, p); !bytes.Equal(got, value) {
			t.Errorf("got %q from %+v, want %q", got, p, value)
		}
	})
}
