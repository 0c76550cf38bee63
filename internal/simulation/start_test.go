package simulation

import (
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/replay"
)

// The first event of a new run is due soon, or when the clock shows the recorded time.
func TestStart_clockStart_new(t *testing.T) {
	const origin = 1_700_000_025 // 22:13:45
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		prepared  Prepared
		now, want time.Time
		note      string
	}{
		"soon":                {Prepared{spec: Spec{Time: Real, Speed: 1}}, now, now.Add(startLead), ""},
		"no CronJobs":         {Prepared{spec: Spec{Time: Real, Speed: 1, Align: true}}, now, now.Add(startLead), ""},
		"faster":              {Prepared{spec: Spec{Time: Real, Speed: 2, Align: true}, cronJobs: true}, now, now.Add(startLead), ""},
		"aligned":             {Prepared{spec: Spec{Time: Real, Speed: 1, Align: true}, cronJobs: true}, now, now.Add(40 * time.Second), ""},
		"aligned to the next": {Prepared{spec: Spec{Time: Real, Speed: 1, Align: true}, cronJobs: true}, now.Add(45 * time.Second), now.Add(100 * time.Second), ""},
		"virtual":             {Prepared{spec: Spec{Time: Virtual, Speed: 1}}, time.Unix(origin-20, 0), time.Unix(origin, 0), ""},
		"virtual, too late":   {Prepared{spec: Spec{Time: Virtual, Speed: 1}}, time.Unix(origin+3, 0), time.Unix(origin+3, 0).Add(startLead), "took until 3.25s after"},
	} {
		t.Run(name, func(t *testing.T) {
			c.prepared.origin = origin
			got, note := (&Start{}).clockStart(&c.prepared, c.now)
			if !got.Equal(c.want) || !strings.Contains(note, c.note) || (note == "") != (c.note == "") {
				t.Errorf("clockStart() = %v, %q; want %v, %q", got, note, c.want, c.note)
			}
		})
	}
}

// A resumed run starts where the checkpoint was, shifted by the pauses that it counts, and by one
// while there was no process. Times are seconds; the first event was due at 100, and the run starts
// at 300.
func TestStart_clockStart_resumed(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for name, c := range map[string]struct {
		resume      *Checkpoint // with Shift in seconds
		pausedSince int         // 0: not paused
		pauses      [][2]int    // of the Pauser; an end of 0 is none
		want        int         // when the first event is due, shifted by Pause
	}{
		"not paused":                              {&Checkpoint{At: at(200)}, 0, nil, 100},
		"paused before":                           {&Checkpoint{At: at(200), Shift: 7 * time.Second}, 0, nil, 107},
		"paused since the checkpoint":             {&Checkpoint{At: at(200), Shift: 7 * time.Second, Paused: true}, 150, [][2]int{{290, 0}}, 207},
		"paused at the checkpoint, resumed since": {&Checkpoint{At: at(200), Shift: 7 * time.Second, Paused: true}, 0, nil, 207},
		"paused after the checkpoint":             {&Checkpoint{At: at(200)}, 250, [][2]int{{290, 0}}, 150},
		"paused unnoticed before the checkpoint":  {&Checkpoint{At: at(200)}, 150, [][2]int{{290, 0}}, 200},
		"paused while it starts":                  {&Checkpoint{At: at(200)}, 0, [][2]int{{290, 0}}, 110},
		"paused for a while while it starts":      {&Checkpoint{At: at(200)}, 0, [][2]int{{285, 295}}, 110},
		"the clock went back":                     {&Checkpoint{At: at(400), Paused: true}, 350, [][2]int{{300, 0}}, 100},
		"new, paused":                             {nil, 250, [][2]int{{290, 0}}, 300},
		"new, was paused":                         {nil, 0, [][2]int{{280, 290}}, 300},
	} {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakeClock(at(0))
			start := Start{Resume: c.resume, Pause: replay.NewPauser(clock)}
			if c.pausedSince > 0 {
				start.PausedSince = at(c.pausedSince)
			}
			for _, pause := range c.pauses {
				clock.SetTime(at(pause[0]))
				start.Pause.Pause()
				if pause[1] > 0 {
					clock.SetTime(at(pause[1]))
					start.Pause.Resume()
				}
			}
			clock.SetTime(at(300))
			want := at(c.want)
			if c.resume != nil {
				c.resume.ClockStart = at(100)
			} else {
				want = want.Add(startLead)
			}
			got, _ := start.clockStart(&Prepared{spec: Spec{Time: Real, Speed: 1}}, clock.Now())
			if got = got.Add(start.shift()); !got.Equal(want) {
				t.Errorf("the first event is due at %v, want %v", got.Sub(at(0)), want.Sub(at(0)))
			}
		})
	}
}
