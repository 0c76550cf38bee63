package log

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

func TestLog_RetainAge(t *testing.T) {
	clock := newClock()
	l := mustOpen(t, t.TempDir(), Options{Clock: clock, Retention: time.Hour})
	mustAppend(t, l, applied(deployment("kept"), "kept"), applied(deployment("changed"), "old"), applied(deployment("gone"), "gone"))
	clock.Step(time.Second)
	mustAppend(t, l, gone(deployment("gone")), applied(deployment("changed"), "new"))
	clock.Step(time.Hour)
	if err := l.Retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := snapshot(t, l)
	if got, want := s.Begin(), start+1000; got != want {
		t.Errorf("beginning after an hour and a second: got %d, want %d", got, want)
	}
	if got := len(collect(t, s.Changes(0, s.Time()))); got != 2 {
		t.Errorf("changes: got %d, want the 2 of an hour ago", got)
	}
	if got := l.Stats().Events; got != 2 {
		t.Errorf("events: got %d, want 2", got)
	}
	clock.Step(time.Millisecond)
	if err := l.Retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := snapshot(t, l)
	want := []Record{
		{Seq: 5, Time: start + 1000, Change: *applied(deployment("changed"), "new")},
		{Seq: 1, Time: start, Change: *applied(deployment("kept"), "kept")},
	}
	equal(t, "state", collect(t, later.StateAt(0)), want)
	if got := len(collect(t, later.Changes(0, later.Time()))); got != 0 {
		t.Errorf("changes later: got %d, want none", got)
	}
	equal(t, "the older snapshot's state", len(collect(t, s.StateAt(0))), 3)
	if err := later.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLog_RetainByItself checks that retention runs in the background.
func TestLog_RetainByItself(t *testing.T) {
	clock := newClock()
	l := mustOpen(t, t.TempDir(), Options{Clock: clock, Retention: time.Second})
	mustAppend(t, l, applied(deployment("a"), "a"))
	for deadline := time.Now().Add(time.Minute); l.Stats().Begin == start; {
		if time.Now().After(deadline) {
			t.Fatal("the beginning did not move")
		}
		clock.Step(retainEvery)
		runtime.Gosched()
	}
}

// TestLog_RetainSize checks that the log becomes smaller on disk, that the newest entries are kept,
// and that a snapshot that needs dropped entries does not cause more to be dropped.
func TestLog_RetainSize(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MB")
	}
	const limit = 24 << 20
	clock := newClock()
	l := mustOpen(t, t.TempDir(), Options{Clock: clock, MaxSize: limit})
	changes := newObjects(1, 2000)
	add := func(n int) {
		t.Helper()
		for range n {
			clock.Step(time.Millisecond)
			mustAppend(t, l, changes.next())
		}
	}
	add(250_000)
	old := snapshot(t, l)
	for range 3 {
		if err := l.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.Stats().Events; got < 50_000 || got > 200_000 {
		t.Errorf("events left while a snapshot has all: got %d", got)
	}
	if err := old.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := len(collect(t, old.StateAt(old.Begin()+1000))); got < 500 {
		t.Errorf("the old snapshot's state: got %d objects", got)
	}
	old.Close()
	for range 4 {
		add(30_000)
		if err := l.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.db.Flush(); err != nil {
			t.Fatal(err)
		}
		m := l.db.Metrics()
		live := int64(m.Table.Local.LiveSize)
		t.Logf("%d events, %d bytes live, %d on disk", l.Stats().Events, live, l.Stats().Bytes)
		if live > limit*5/4 {
			t.Errorf("tables: got %d bytes, want about %d", live, limit)
		}
	}
	s := snapshot(t, l)
	if got := len(collect(t, s.StateAt(0))); got != 2000 {
		t.Errorf("state: got %d objects, want all 2000", got)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestLog_RetainSizeTiny checks that existing objects are kept even if they exceed the limit.
func TestLog_RetainSizeTiny(t *testing.T) {
	clock := newClock()
	l := mustOpen(t, t.TempDir(), Options{Clock: clock, MaxSize: 1})
	for i := range 100 {
		mustAppend(t, l, applied(deployment(fmt.Sprint(i)), "content"))
		clock.Step(time.Millisecond)
	}
	if err := l.Retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := snapshot(t, l)
	equal(t, "objects", len(collect(t, s.StateAt(s.Time()))), 100)
	equal(t, "changes", len(collect(t, s.Changes(0, s.Time()))), 0)
}
