package timeline

import (
	"slices"
	"testing"
)

// TestTable uses hashes many of which are the same or adjacent.
func TestTable(t *testing.T) {
	var table table
	if got := slices.Collect(table.candidates(1)); got != nil {
		t.Errorf("in an empty table: got %v", got)
	}
	const numbers, hashes = 5000, 1500
	hash := func(n uint32) uint32 { return n % hashes * (1<<32 - 1) }
	for n := range uint32(numbers) {
		table.put(hash(n), n)
	}
	for n := range uint32(hashes) {
		var want []uint32
		for m := n; m < numbers; m += hashes {
			want = append(want, m)
		}
		if got := slices.Sorted(table.candidates(hash(n))); !slices.Equal(got, want) {
			t.Fatalf("hash %d: got %v, want %v", hash(n), got, want)
		}
	}
}
