package tracertest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"simkube.io/simkube/trace"
)

// result is the result of checking an export.
type result struct {
	// recorded counts the writes in the export, lost those that are missing and were acknowledged in a
	// gap.
	recorded, lost int
	// gaps are the gaps of the export.
	gaps []trace.Gap
}

// checkExport compares an export with the recorded writes: each write that was acknowledged outside
// of the gaps must be in it, in order.
func checkExport(t *testing.T, what string, path string, writes []written) result {
	t.Helper()
	tr, err := trace.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x, err := trace.ParseExtension(tr.Extension)
	if err != nil {
		t.Fatal(err)
	}
	v := result{gaps: x.Gaps}
	exported := exportedWrites(t, tr)
	wrong, begin := 0, time.Unix(tr.Events[0].Time, 0)
	for _, w := range writes {
		if w.before.Before(begin) {
			continue // the log does not reach back so far
		}
		if at := find(exported[w.object], w.number); at >= 0 {
			exported[w.object] = exported[w.object][at+1:]
			v.recorded++
			continue
		}
		if v.inGap(w) {
			v.lost++
			continue
		}
		if wrong++; wrong <= 5 {
			t.Errorf("%s: %s number %d is missing, acknowledged between %d and %d, and the gaps are %v",
				what, w.object, w.number, w.before.UnixMilli(), w.after.UnixMilli(), v.gaps)
		}
	}
	if wrong > 5 {
		t.Errorf("%s: %d are missing together", what, wrong)
	}
	return v
}

// exportedWrites returns the writes of each object in an export, in order: the numbers that were
// written, and 0 for a deletion.
func exportedWrites(t *testing.T, tr *trace.Trace) map[string][]int {
	t.Helper()
	all := map[string][]int{}
	for i := range tr.Events {
		e := &tr.Events[i]
		for j := range e.Applied {
			o := &e.Applied[j]
			u, err := o.Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			data, _ := u.Object["data"].(map[string]any)
			number, err := strconv.Atoi(fmt.Sprint(data["n"]))
			if err != nil {
				continue // not written by a writer
			}
			key := o.GVK().Kind + " " + u.GetName()
			all[key] = append(all[key], number)
		}
		for j := range e.Deleted {
			o := &e.Deleted[j]
			_, name := trace.SplitNamespacedName(o.NamespacedName())
			key := o.GVK().Kind + " " + name
			all[key] = append(all[key], 0)
		}
	}
	return all
}

func find(numbers []int, number int) int {
	for i, n := range numbers {
		if n == number {
			return i
		}
	}
	return -1
}

// inGap reports whether a write may have been acknowledged in a gap.
func (v *result) inGap(w written) bool {
	for _, g := range v.gaps {
		if w.after.UnixMilli() >= g.From && w.before.UnixMilli() <= g.To {
			return true
		}
	}
	return false
}

// within returns the gaps that overlap an interval.
func (v *result) within(from, to time.Time) []trace.Gap {
	var found []trace.Gap
	for _, g := range v.gaps {
		if to.UnixMilli() >= g.From && from.UnixMilli() <= g.To {
			found = append(found, g)
		}
	}
	return found
}
