package xray

import (
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/internal/timeline"
)

// matches finds a text the simple way.
func matches(t *testing.T, file *timeline.File, text string) []timeline.Place {
	t.Helper()
	var out []timeline.Place
	for event := range file.Len() {
		for _, info := range file.Objects(event) {
			lines, err := manifestAt(file, info.Place)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(strings.ToLower(strings.Join(lines, "\n")), strings.ToLower(text)) {
				out = append(out, info.Place)
			}
		}
	}
	return out
}

// TestSearch_Walks goes through all matches, in both directions and around the ends, from several
// places.
func TestSearch_Walks(t *testing.T) {
	file := openTrace(t, "../../examples/day.sktrace")
	want := matches(t, file, "CHECKOUT")
	if len(want) < 5 {
		t.Fatalf("the trace has only %d matches", len(want))
	}
	for _, start := range []string{"#1", "#300", "#672"} {
		t.Run(start, func(t *testing.T) {
			d := newDriver(t, file, 80, 24, Options{})
			d.keys("g", "type:"+start, "enter")
			from := d.cursor()
			d.keys("/", "type:CHECKOUT", "enter")
			at := slices.IndexFunc(want, func(p timeline.Place) bool { return spotOf(p).compare(from) > 0 })
			at = max(at, 0)
			for i := range 2*len(want) + 1 {
				if got := d.detail.want.place; got != want[at] {
					t.Fatalf("match %d is %v, want %v", i, got, want[at])
				}
				if nth, n := d.textSearch.count(d.cursor()); nth != at+1 || n != len(want) {
					t.Fatalf("match %d of %d, want %d of %d", nth, n, at+1, len(want))
				}
				d.keys("n")
				at = (at + 1) % len(want)
			}
			for i := range 2*len(want) + 1 {
				d.keys("N")
				at = (at + len(want) - 1) % len(want)
				if got := d.detail.want.place; got != want[at] {
					t.Fatalf("match %d back is %v, want %v", i, got, want[at])
				}
			}
		})
	}
}

func TestSearch_InFilter(t *testing.T) {
	file := openTrace(t, "../../examples/day.sktrace")
	d := newDriver(t, file, 80, 24, Options{Compile: compileForTest})
	d.keys("f", "down", "down", "down", "type:gateway", "down", "type:kind == Deployment", "enter")
	if n := len(d.list.found.found); n == 0 || n == len(matches(t, file, "gateway")) {
		t.Fatalf("the filter lets %d through", n)
	}
	// All of them have it, and so has much that the filter leaves out.
	d.keys("/", "type:replicas", "enter")
	if d.textSearch == nil || len(d.textSearch.ahead.found) != len(d.list.found.found) {
		t.Fatalf("a search for what all have finds %d of %d", len(d.textSearch.ahead.found), len(d.list.found.found))
	}
}

func TestTextSearch_Stops(t *testing.T) {
	file := openTrace(t, "../../examples/day.sktrace")
	d := newDriver(t, file, 80, 24, Options{})
	// The commands of this one are not run: it goes on until it is stopped.
	next, cmd := d.Update(press("f"))
	d.Model = next.(Model)
	if cmd != nil {
		t.Fatal("the form has a command")
	}
	d.keys("type:Pod")
	next, _ = d.Update(press("enter"))
	d.Model = next.(Model)
	if d.search == nil || d.search.done {
		t.Fatal("no filter is going on")
	}
	search := d.search
	d.keys("esc")
	if search.ctx.Err() == nil || d.list.found == nil {
		t.Error("the first Esc does not stop the filter and leave what it found")
	}
	d.keys("esc")
	if d.list.found != nil || !d.query.Empty() {
		t.Error("the second Esc does not take the filter away")
	}
	// What comes of it too late changes nothing.
	d.send(foundMsg{number: search.number, spots: []spot{{1, 1}}})
	if d.list.found != nil {
		t.Error("what came too late is taken")
	}
}
