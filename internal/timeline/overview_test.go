package timeline

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFile_Overview(t *testing.T) {
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		want, whole := newModel(t, path)

		earliest, latest := int64(math.MaxInt64), int64(math.MinInt64)
		for _, e := range whole.Events {
			earliest, latest = min(earliest, e.Time), max(latest, e.Time)
		}
		from, to, ok := f.Span()
		if from != earliest || to != latest || !ok {
			t.Errorf("span: got %d to %d, %t, want %d to %d", from, to, ok, earliest, latest)
		}

		for _, time := range []int64{math.MinInt64, from - 1, from, from + 1, from + (to-from)/3, to, to + 1, math.MaxInt64} {
			first := 0
			for first < len(whole.Events) && whole.Events[first].Time < time {
				first++
			}
			if got := f.At(time); got != first {
				t.Errorf("first event at %d: got %d, want %d", time, got, first)
			}
		}

		kinds, namespaces := map[string]int{}, map[string]int{}
		for key, places := range want.history {
			kinds[key.GVK.String()] += 1000*len(places) + 1
			namespaces[key.Namespace] += 1000*len(places) + 1
		}
		gotKinds, gotNamespaces := map[string]int{}, map[string]int{}
		for _, k := range f.Kinds() {
			gotKinds[k.GVK.String()] = 1000*k.Versions + k.Objects
		}
		for _, n := range f.Namespaces() {
			gotNamespaces[n.Name] = 1000*n.Versions + n.Objects
		}
		if diff := cmp.Diff(kinds, gotKinds); diff != "" {
			t.Errorf("kinds (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(namespaces, gotNamespaces); diff != "" {
			t.Errorf("namespaces (-want +got):\n%s", diff)
		}
	})
}

func TestFile_Activity(t *testing.T) {
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		from, to, _ := f.Span()
		for _, test := range []struct {
			from, to int64
			buckets  int
		}{
			{from, to + 1, 1},
			{from, to + 1, 7},
			{from, to + 1, 100},
			{from + (to-from)/3, to, 10},
			{from - 1000, to + 1000, 3},
			{to, to + 5, 50}, // fewer seconds than parts
			{math.MinInt64, math.MaxInt64, 5},
		} {
			want := make([]int, test.buckets)
			scale := activityScale{test.from, test.to, test.buckets}
			for i := range f.Len() {
				info := f.Info(i)
				if info.Time < test.from || info.Time >= test.to {
					continue
				}
				b := 0
				for scale.end(b) <= info.Time {
					b++
				}
				want[b] += info.Changes
			}
			if diff := cmp.Diff(want, f.Activity(test.from, test.to, test.buckets)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", test, diff)
			}
		}
		for name, got := range map[string][]int{"no time": f.Activity(to, to, 3), "no parts": f.Activity(from, to, 0)} {
			if got != nil {
				t.Errorf("%s: got %v", name, got)
			}
		}
	})
}

func TestActivityScale(t *testing.T) {
	scale := activityScale{from: 100, to: 110, buckets: 4}
	var got []int64
	for b := range scale.buckets {
		got = append(got, scale.end(b))
	}
	if diff := cmp.Diff([]int64{102, 105, 107, 110}, got); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}
