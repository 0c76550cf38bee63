package results

import (
	"testing"
	"time"
)

// The trace's time stands still in pauses, also in one that goes on, and pauses from before it
// began don't count.
func TestTimeMap_Pauses(t *testing.T) {
	clock := func(seconds int) time.Time { return time.Unix(int64(1_000_000+seconds), 0) }
	m := TimeMap{ClockStart: clock(0), TraceStart: time.Unix(0, 0), Speed: 10, Pauses: []Span{
		{From: clock(-20), To: clock(-10)},
		{From: clock(-5), To: clock(5)},
		{From: clock(20), To: clock(30)},
		{From: clock(50)},
	}}
	for at, want := range map[int]int64{0: 0, 3: 0, 5: 0, 10: 50, 20: 150, 25: 150, 30: 150, 40: 250, 50: 350, 60: 350, -3: -30} {
		if got := m.Trace(clock(at)); got.Unix() != want {
			t.Errorf("second %d of the clock is second %d of the trace, wanted is %d", at, got.Unix(), want)
		}
	}
}
