package xray

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"simkube.io/simkube/internal/timeline"
)

// modelRows lists all rows the simple way.
func modelRows(l *list) []row {
	var out []row
	for nth := range l.events() {
		out = append(out, row{nth, -1})
		if l.open[l.event(nth)] {
			for object := range l.objects(nth) {
				out = append(out, row{nth, object})
			}
		}
	}
	return out
}

// TestList_Moves makes many random moves and compares each with the same on a plain list of all
// rows.
func TestList_Moves(t *testing.T) {
	file := openTrace(t, "../../examples/day.sktrace")
	found := &places{}
	for event := range file.Len() {
		for _, info := range file.Objects(event) {
			if file.Object(info.Object).GVK.Kind == "Pod" {
				found.add(spotOf(info.Place))
			}
		}
	}
	for name, filter := range map[string]*places{"all": nil, "filtered": found, "none": {}} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			l := newList(file)
			l.height = 7
			l.setFound(filter)
			for step := range 3000 {
				rows := modelRows(&l)
				was := slices.Index(rows, l.at)
				want := was
				switch random.IntN(8) {
				case 0:
					l.setOpen(!l.isOpen())
					rows = modelRows(&l)
					want = slices.Index(rows, l.at)
				case 1:
					l.last()
					want = len(rows) - 1
				case 2:
					l.first()
					want = 0
				case 3:
					if event := random.IntN(file.Len()); l.goToEvent(event) && l.event(l.at.nth) < event {
						t.Fatalf("step %d: event %d was asked for, and %d gone to", step, event, l.event(l.at.nth))
					}
					want = slices.Index(rows, l.at)
				case 4:
					l.scroll(random.IntN(9) - 4)
					want = slices.Index(rows, l.at)
				case 5:
					l.height = 1 + random.IntN(12)
					l.show()
				default:
					n := random.IntN(21) - 10
					l.move(n)
					want = min(max(was+n, 0), len(rows)-1)
				}
				if len(rows) == 0 {
					continue
				}
				if got := slices.Index(rows, l.at); got != want || got < 0 {
					t.Fatalf("step %d: the cursor is on row %d, want %d", step, got, want)
				}
				top := slices.Index(rows, l.top)
				if top < 0 || want < top || want >= top+l.height {
					t.Fatalf("step %d: the cursor is on row %d, and what is seen begins at %d and has %d", step, want, top, l.height)
				}
				if free := l.height - (len(rows) - top); free > 0 && top > 0 {
					t.Fatalf("step %d: %d lines are free below and %d rows are above", step, free, top)
				}
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	all := []timeline.Place{
		{Event: 0, Index: 0},
		{Event: 0, Index: 1},
		{Event: 0, Index: 0, Deleted: true},
		{Event: 0, Index: 5, Deleted: true},
		{Event: 3, Index: 2, Deleted: true},
		{Event: 9, Index: 7},
	}
	p := &places{}
	for _, place := range all {
		p.add(spotOf(place))
	}
	for i, place := range all {
		if got := spotOf(place).place(); got != place {
			t.Errorf("%v became %v", place, got)
		}
		r, ok := p.row(place)
		if !ok || p.place(r.nth, r.object) != place {
			t.Errorf("%v has row %v, %t", place, r, ok)
		}
		for j, other := range all {
			if got, want := spotOf(place).compare(spotOf(other)), place.Compare(other); (got < 0) != (want < 0) || (got > 0) != (want > 0) {
				t.Errorf("%d compared with %d: %d, want %d", i, j, got, want)
			}
		}
		if next, ok := p.after(spotOf(place)); ok != (i+1 < len(all)) || ok && next.place() != all[i+1] {
			t.Errorf("after %v comes %v, %t", place, next, ok)
		}
		if last, ok := p.ahead(spotOf(place)); ok != (i > 0) || ok && last.place() != all[i-1] {
			t.Errorf("before %v comes %v, %t", place, last, ok)
		}
	}
	if _, ok := p.row(timeline.Place{Event: 3, Index: 2}); ok {
		t.Error("an applied object is found where there is a deleted one")
	}
	if first, ok := p.after(spot{event: 3}); !ok || first.place() != all[4] {
		t.Errorf("after event 3 itself comes %v", first)
	}
	if diff := cmp.Diff([]int32{0, 3, 9}, p.events, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
