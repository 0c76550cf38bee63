package progress

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

var update = flag.Bool("update", false, "update the golden files")

var start = time.Date(2025, 3, 1, 22, 0, 0, 0, time.UTC)

func replaying() simulation.Progress {
	return simulation.Progress{
		Phase:      simulation.Replaying,
		TraceStart: start, TraceEnd: start.Add(4 * time.Hour), TraceTime: start.Add(93*time.Minute + 7*time.Second),
		Events: 1204, EventsTotal: 20502,
		Counts: results.Counts{
			Pending: 3, Starting: 1, Running: 812, Succeeded: 12931, Failed: 2, Deleted: 3021,
			Nodes: 24, NodesReady: 23, Problems: 4, LagP99: 3217 * time.Microsecond,
		},
		ETA: 92*time.Second + 300*time.Millisecond,
	}
}

func cases() map[string]simulation.Progress {
	long := replaying()
	long.TraceEnd = start.Add(72 * time.Hour)
	cleaning := replaying()
	cleaning.Phase, cleaning.ETA, cleaning.Detail = simulation.Cleaning, 0, "waiting for 120 pods"
	first := replaying()
	first.TraceTime, first.Events, first.ETA = start, 0, 0
	first.Counts = results.Counts{Nodes: 24, NodesReady: 24}
	late := replaying()
	late.TraceTime = late.TraceEnd.Add(time.Minute)
	return map[string]simulation.Progress{
		"preparing": {Phase: simulation.Preparing},
		"nodes":     {Phase: simulation.Nodes, Counts: results.Counts{Nodes: 24, NodesReady: 7}},
		"first":     first,
		"replaying": replaying(),
		"long":      long,
		"late":      late,
		"cleaning":  cleaning,
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestRender(t *testing.T) {
	for name, p := range cases() {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for _, width := range []int{100, 60, 30} {
				fmt.Fprintf(&got, "-- width %d\n", width)
				plain := Render(p, width, false)
				for _, line := range plain {
					got.WriteString(line + "\n")
					if n := utf8.RuneCountInString(line); n > width {
						t.Errorf("line of %d characters in a width of %d: %s", n, width, line)
					}
				}
				coloured := escapes.ReplaceAllString(strings.Join(Render(p, width, true), "\n"), "")
				if diff := cmp.Diff(strings.Join(plain, "\n"), coloured); diff != "" {
					t.Errorf("colour changes the text (-plain +coloured):\n%s", diff)
				}
			}
			got.WriteString("-- colour\n" + strings.ReplaceAll(strings.Join(Render(p, 80, true), "\n"), "\x1b", "^") + "\n")
			got.WriteString("-- line\n" + Line(p) + "\n")
			golden(t, name, got.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestDisplay_Live(t *testing.T) {
	var out bytes.Buffer
	clock := clocktesting.NewFakePassiveClock(start)
	d := New(&out, Options{Live: true, Clock: clock, Width: func() int { return 61 }})
	step := func(what string, do func()) {
		out.WriteString("-- " + what + "\n")
		do()
	}
	p := replaying()
	step("first", func() { d.Update(p) })
	step("too early", func() { p.Events++; d.Update(p) })
	step("a note shows at once, with what is new", func() { d.Note(simulation.Note{Level: simulation.Warning, Text: "careful"}) })
	clock.SetTime(start.Add(redrawEvery))
	step("later", func() { p.Events++; d.Update(p) })
	step("a new phase shows at once", func() { p.Phase = simulation.Cleaning; d.Update(p) })
	step("close", d.Close)
	golden(t, "live", strings.NewReplacer("\x1b", "^", "\r", "<cr>").Replace(out.String()))
}

func TestDisplay_Lines(t *testing.T) {
	var out bytes.Buffer
	clock := clocktesting.NewFakePassiveClock(start)
	d := New(&out, Options{Clock: clock})
	p := simulation.Progress{Phase: simulation.Starting}
	d.Update(p)
	d.Update(p)
	d.Note(simulation.Note{Level: simulation.Info, Text: "24 nodes"})
	clock.SetTime(start.Add(lineEvery))
	d.Update(p)
	p.Phase = simulation.Reporting
	d.Update(p)
	d.Close()
	want := "starting\n24 nodes\nstarting\nreporting, pods 0 pending 0 running 0 succeeded, nodes 0\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}
