package log

import (
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/trace"
)

// start is the initial time of the clocks in tests.
const start = int64(1_700_000_000_000)

func newClock() *clocktesting.FakeClock { return clocktesting.NewFakeClock(time.UnixMilli(start)) }

func deployment(name string) Key {
	return Key{GVK: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Name: name}
}

func service(name string) Key {
	return Key{GVK: schema.GroupVersionKind{Version: "v1", Kind: "Service"}, Name: name}
}

const someUID = "0f8fad5b-d9cb-469f-a165-70867728950e"

func applied(key Key, content string) *Change {
	return &Change{Op: Applied, Key: key, UID: someUID, Hash: uint64(len(content)), Object: []byte(content)}
}

func gone(key Key) *Change { return &Change{Op: Deleted, Key: key, UID: someUID} }

// mustOpen opens a log that is checked and closed at the end of the test.
func mustOpen(t testing.TB, dir string, opts Options) *Log {
	t.Helper()
	l, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	return l
}

func mustAppend(t testing.TB, l *Log, entries ...Entry) Seq {
	t.Helper()
	seq, err := l.Append(t.Context(), entries...)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// snapshot takes a snapshot that is closed at the end of the test.
func snapshot(t testing.TB, l *Log) *Snapshot {
	t.Helper()
	s, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// collect copies the values of a sequence.
func collect[T any](t testing.TB, seq iter.Seq2[*T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		c := *v
		if r, ok := any(&c).(*Record); ok {
			r.Object, r.References = append([]byte(nil), r.Object...), append([]byte(nil), r.References...)
		}
		all = append(all, c)
	}
	return all
}

func TestLog_Append(t *testing.T) {
	for name, inMemory := range map[string]bool{"disk": false, "memory": true} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			l := mustOpen(t, t.TempDir(), Options{InMemory: inMemory, Clock: clock})
			web, old, svc := deployment("default/web"), deployment("default/old"), service("default/web")
			first := *applied(web, "one")
			first.References, first.Ancestors = []byte("references"), []Key{service("default/owner"), deployment("other")}
			mustAppend(t, l, &first, applied(old, "gone soon"))
			clock.Step(time.Second)
			mustAppend(t, l, applied(svc, "service"), gone(old), applied(web, "other"))
			clock.Step(time.Second)
			last := mustAppend(t, l, &Change{Op: Forgotten, Key: svc, UID: "not a uuid"})
			if err := l.Sync(t.Context(), last); err != nil {
				t.Fatal(err)
			}
			s := snapshot(t, l)

			want := []Record{
				{Seq: 1, Time: start, Change: first},
				{Seq: 2, Time: start, Change: *applied(old, "gone soon")},
				{Seq: 3, Time: start + 1000, Change: *applied(svc, "service")},
				{Seq: 4, Time: start + 1000, Change: *gone(old)},
				{Seq: 5, Time: start + 1000, Change: *applied(web, "other")},
				{Seq: 6, Time: start + 2000, Change: Change{Op: Forgotten, Key: svc, UID: "not a uuid"}},
			}
			equal(t, "changes", collect(t, s.Changes(0, start+3000)), want)
			equal(t, "some changes", collect(t, s.Changes(start+1, start+2000)), want[2:5])
			equal(t, "state at the beginning", collect(t, s.StateAt(0)), []Record(nil))
			equal(t, "state after a second", collect(t, s.StateAt(start+1000)), []Record{want[1], want[0]})
			equal(t, "state after two", collect(t, s.StateAt(start+2000)), []Record{want[4], want[2]})
			equal(t, "state now", collect(t, s.StateAt(start+2001)), []Record{want[4]})
			now := want[4]
			now.Object = nil
			equal(t, "objects", collect(t, l.Objects()), []Record{now})

			got, err := s.Before(web, 5)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "before 5", *got, want[0])
			if got, err = s.Before(web, 1); err != nil || got != nil {
				t.Errorf("before the first: got %v, %v, want nothing", got, err)
			}
			if got, err = s.At(old, start+5000); err != nil {
				t.Fatal(err)
			}
			equal(t, "at the end", *got, want[3])
		})
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s: got (+), want (-):\n%s", what, diff)
	}
}

func TestLog_Pods(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{Clock: newClock()})
	a := &Pod{
		UID: "a", Namespace: "default", Name: "a-1", Hash: 1 << 63, Tracked: true, Ancestors: []Key{deployment("default/a")},
		Lifecycle: trace.Lifecycle{State: trace.Running, Start: start / 1000}, Created: start, Scheduled: start + 5, Started: start + 10, Node: "n1",
	}
	b := &Pod{UID: "b", Namespace: "default", Name: "b", Created: start + 100}
	mustAppend(t, l, b, a)
	ended := *a
	ended.Deleted = start + 200
	mustAppend(t, l, &ended)
	s := snapshot(t, l)
	equal(t, "all", collect(t, s.Pods(0, start+1000)), []Pod{ended, *b})
	equal(t, "not those created later", collect(t, s.Pods(0, start+100)), []Pod{ended})
	equal(t, "not those deleted before", collect(t, s.Pods(start+201, start+1000)), []Pod{*b})
	equal(t, "those deleted then", collect(t, s.Pods(start+200, start+1000)), []Pod{ended, *b})
	equal(t, "live", collect(t, l.LivePods()), []Pod{*b})
}

func TestLog_Nodes(t *testing.T) {
	l := mustOpen(t, t.TempDir(), Options{Clock: newClock()})
	n1 := &Node{UID: "1", Name: "n1", From: start, Shape: []byte("small")}
	mustAppend(t, l, n1)
	was := *n1
	was.To = start + 500
	grown := &Node{UID: "1", Name: "n1", From: start + 500, Shape: []byte("large")}
	mustAppend(t, l, &was, grown)
	s := snapshot(t, l)
	equal(t, "all", collect(t, s.Nodes(0, start+1000)), []Node{was, *grown})
	equal(t, "before", collect(t, s.Nodes(0, start+500)), []Node{was})
	equal(t, "after", collect(t, s.Nodes(start+500, start+501)), []Node{*grown})
	equal(t, "live", collect(t, l.LiveNodes()), []Node{*grown})
}
