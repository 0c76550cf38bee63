package virtualtime

import "testing"

func TestGarbagePercent(t *testing.T) {
	for _, test := range []struct {
		live uint64
		want int
	}{
		{0, maxGarbagePercent},
		{100 << 20, maxGarbagePercent},
		{384 << 20, maxGarbagePercent},
		{512 << 20, 300},
		{700 << 20, 210},
		{1 << 30, minGarbagePercent},
		{2 << 30, minGarbagePercent},
		{20 << 30, minGarbagePercent},
	} {
		if got := garbagePercent(test.live); got != test.want {
			t.Errorf("%d MiB live: got %d percent, want %d", test.live>>20, got, test.want)
		}
	}
}
