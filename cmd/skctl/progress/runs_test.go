package progress

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

func TestRenderRuns(t *testing.T) {
	few := RunsState{Count: 12, Ended: 3, Failed: 1, Running: map[int]simulation.Progress{4: cases()["cleaning"], 5: replaying(), 7: {Phase: simulation.Preparing}}}
	many := RunsState{Count: 120, Running: map[int]simulation.Progress{}}
	for number := 1; number <= 30; number++ {
		many.Running[number] = cases()["long"]
	}
	for name, s := range map[string]RunsState{"runs-few": few, "runs-many": many} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, width := range []int{100, 79, 40} {
				fmt.Fprintf(&got, "-- width %d\n", width)
				plain := RenderRuns(s, width, false)
				for _, line := range plain {
					got.WriteString(line + "\n")
					if n := utf8.RuneCountInString(line); n > width {
						t.Errorf("line of %d characters in a width of %d: %s", n, width, line)
					}
				}
				coloured := escapes.ReplaceAllString(strings.Join(RenderRuns(s, width, true), "\n"), "")
				if diff := cmp.Diff(strings.Join(plain, "\n"), coloured); diff != "" {
					t.Errorf("colour changes the text (-plain +coloured):\n%s", diff)
				}
			}
			golden(t, name, got.String())
		})
	}
}

func finishedRun(number int) results.Repetition {
	return results.Repetition{
		Number: number, Status: results.RunFinished,
		Measures: map[string]float64{
			results.MeasurePods: 1352, results.MeasurePendingP99: 2259, results.MeasurePeakNodes: 45, results.MeasureWallSeconds: 108,
		},
	}
}

func TestRuns_Live(t *testing.T) {
	var out bytes.Buffer
	clock := clocktesting.NewFakePassiveClock(start)
	r := NewRuns(&out, 3, Options{Live: true, Clock: clock, Width: func() int { return 80 }})
	step := func(what string, do func()) {
		out.WriteString("-- " + what + "\n")
		do()
	}
	p := replaying()
	step("the first", func() { r.Update(1, simulation.Progress{Phase: simulation.Starting}) })
	step("another shows at once", func() { r.Update(2, p) })
	step("too early", func() { p.TraceTime = p.TraceTime.Add(time.Minute); r.Update(2, p) })
	step("a note", func() { r.Note(1, simulation.Note{Level: simulation.Warning, Text: "careful"}) })
	step("the same note", func() { r.Note(2, simulation.Note{Level: simulation.Warning, Text: "careful"}) })
	step("one replays", func() { r.Update(1, p) })
	clock.SetTime(start.Add(redrawEvery))
	step("later", func() { p.TraceTime = p.TraceTime.Add(time.Hour); r.Update(2, p) })
	step("one has ended", func() { r.End(finishedRun(2)) })
	step("one failed", func() {
		r.End(results.Repetition{Number: 1, Status: results.RunFailed, Error: "no luck\n    at all"})
	})
	step("close", r.Close)
	golden(t, "runs-live", strings.NewReplacer("\x1b", "^", "\r", "<cr>").Replace(out.String()))
}

func TestRuns_Lines(t *testing.T) {
	var out bytes.Buffer
	clock := clocktesting.NewFakePassiveClock(start)
	r := NewRuns(&out, 3, Options{Clock: clock})
	starting := simulation.Progress{Phase: simulation.Starting}
	for range 2 { // notes are shown only once
		r.Update(1, starting)
		r.Update(2, starting)
	}
	r.Note(1, simulation.Note{Level: simulation.Info, Text: "24 nodes"})
	r.Note(2, simulation.Note{Level: simulation.Info, Text: "24 nodes"})
	clock.SetTime(start.Add(lineEvery))
	r.Update(1, starting) // two share the interval
	clock.SetTime(start.Add(2 * lineEvery))
	r.Update(1, starting)
	r.Update(2, simulation.Progress{Phase: simulation.Replaying})
	r.Update(2, simulation.Progress{Phase: simulation.Cleaning})
	r.End(finishedRun(2))
	r.End(results.Repetition{Number: 1, Status: results.RunInterrupted})
	r.Close()
	want := `run 01: starting
run 02: starting
run 01: 24 nodes
run 01: starting
run 02: replaying, pods 0 pending 0 running 0 succeeded, nodes 0
run 02: finished: 1,352 pods, p99 wait 37m39s, 45 nodes, took 1m48s
run 01: interrupted
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}
