package tracertest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"simkube.io/simkube/trace"
)

// verdict is what was found in an export.
type verdict struct {
	// recorded writes are in it, lost ones are not, and were acknowledged in a gap.
	recorded, lost int
	// gaps are those that it has.
	gaps []trace.Gap
}

// judge compares an export with what was written down: each write that was acknowledged outside the
// gaps must be in it, in order.
func judge(t *testing.T, what string, path string, writes []written) verdict {
	t.Helper()
	tr, err := trace.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x, err := trace.ParseExtension(tr.Extension)
	if err != nil {
		t.Fatal(err)
	}
	v := verdict{gaps: x.Gaps}
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

// exportedWrites are what an export has of each object, in order: the numbers that were written,
// and 0 for a deletion.
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
				continue // not of the writers
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
func (v *verdict) inGap(w written) bool {
	for _, g := range v.gaps {
		if w.after.UnixMilli() >= g.From && w.before.UnixMilli() <= g.To {
			return true
		}
	}
	return false
}

// within are the gaps that overlap a time.
func (v *verdict) within(from, to time.Time) []trace.Gap {
	var found []trace.Gap
	for _, g := range v.gaps {
		if to.UnixMilli() >= g.From && from.UnixMilli() <= g.To {
			found = append(found, g)
		}
	}
	return found
}
