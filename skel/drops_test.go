package skel

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDrops(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type event struct {
		Number int
		Kept   []bool
	}
	var (
		d    drops
		want []event
	)
	number := 0
	for range 1000 {
		kept := make([]bool, random.IntN(20))
		for i := range kept {
			kept[i] = random.IntN(2) == 0
		}
		d.add(number, kept)
		want = append(want, event{number, kept})
		number += 1 + random.IntN(300)
	}
	var got []event
	for r := d.read(); r.event >= 0; r.next() {
		e := event{r.event, make([]bool, r.objects)}
		for i := range e.Kept {
			e.Kept[i] = r.kept(i)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	empty := drops{}
	if got, want := empty.read().event, -1; got != want {
		t.Errorf("event of none: got %d, want %d", got, want)
	}
}

// TestDrops_Size checks that little memory is used for a long trace with many dropped objects.
func TestDrops_Size(t *testing.T) {
	const events = 100_000
	var d drops
	for i := range events {
		d.add(i, []bool{true, false, true})
	}
	if got, want := len(d.bytes), 3*events; got > want {
		t.Errorf("bytes: got %d, want at most %d", got, want)
	}
}
