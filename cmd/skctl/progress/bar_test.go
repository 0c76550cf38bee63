package progress

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	testclock "k8s.io/utils/clock/testing"
)

func TestBar(t *testing.T) {
	for name, tc := range map[string]struct {
		live bool
		want string
	}{
		"live": {
			true,
			"\r\x1b[J[##########..........]  working: 50%, 500 of 1,000 events, about 2s left\n" +
				"\x1b[1A\r\x1b[J[####################]  working: 100%, 1,000 of 1,000 events\n" +
				"\x1b[1A\r\x1b[J",
		},
		"lines": {false, "working: 50%, 500 of 1,000 events, about 2s left\n"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
			var out bytes.Buffer
			bar := NewBar(&out, "working", "events", 1000, Options{Live: tc.live, Clock: clock})
			for _, done := range []int64{250, 500, 750, 1000} {
				clock.SetTime(clock.Now().Add(900 * time.Millisecond))
				if done != 750 {
					bar.Set(done)
				}
			}
			bar.Close()
			bar.Close()
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing is shown for work that is done at once.
func TestBar_Quiet(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	var out bytes.Buffer
	bar := NewBar(&out, "working", "events", 10, Options{Clock: clock})
	clock.SetTime(clock.Now().Add(barQuiet / 2))
	bar.Set(10)
	bar.Close()
	if out.Len() > 0 {
		t.Errorf("got %q", out.String())
	}
}

func TestBarLine_Unknown(t *testing.T) {
	if got, want := BarLine("reading", "events", 1234, 0, time.Second), "reading: 1,234 events"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
