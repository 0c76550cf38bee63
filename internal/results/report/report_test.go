package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

var update = flag.Bool("update", false, "write the golden files anew")

func render(t *testing.T, run *results.Run) string {
	t.Helper()
	var out bytes.Buffer
	if err := Render(&out, run); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRender_Golden(t *testing.T) {
	for name, run := range map[string]*results.Run{"small": sample.Small(), "empty": sample.Empty()} {
		t.Run(name, func(t *testing.T) {
			got := render(t, run)
			if got != render(t, run) {
				t.Error("the same run gives another page")
			}
			// Styles and script are files of their own; the page around them is what a change should show.
			got = strings.Replace(got, pageStyle, "/* report.css */", 1)
			got = strings.Replace(got, pageScript, "// report.js\n", 1)
			golden(t, name+".html", got)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
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
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// evil is a name as only somebody else's trace can have: markup, and longer than any line.
var evil = `</script><img src=x onerror="alert(1)"><svg/onload=alert(2)>'"&` + "\u2028" + strings.Repeat("x", 200)

// hostile is a day in which every string is evil.
func hostile() *results.Run {
	run := sample.Day(1)
	s := &run.Summary
	s.Run.Simulation, s.Run.Trace.Path = evil, evil
	s.Run.Versions, s.Run.Settings = map[string]string{evil: evil}, map[string]string{evil: evil}
	for i := range s.Timing.Cost.Groups {
		g := &s.Timing.Cost.Groups[i]
		g.NodePool, g.InstanceType, g.CapacityType, g.Zone = evil, evil, evil, evil
	}
	for i := range run.Timeline {
		for j := range run.Timeline[i].Costs {
			run.Timeline[i].Costs[j].NodePool = evil
		}
	}
	for i := range s.Outcome.ByOwner {
		s.Outcome.ByOwner[i].Owner = results.Owner{Namespace: evil, Kind: evil, Name: evil}
	}
	s.Outcome.Problems.First[0] = results.Problem{Category: evil, Object: evil, Message: evil}
	s.Outcome.Problems.ByCategory[0].Category = evil
	s.Outcome.Deviations.ByCategory[0].Category = evil
	s.Outcome.Deviations.First[0] = results.Deviation{Category: evil, Object: evil, Count: 3, Reason: evil, Action: evil}
	s.Notes = []results.Note{{Level: evil, Text: evil}, {Level: "warning", Text: evil}}
	for i := range s.Timing.WaitReasons {
		s.Timing.WaitReasons[i].Reason = evil
	}
	for i := range run.Pods {
		p := &run.Pods[i]
		p.Name, p.OriginalNamespace, p.OwnerKind, p.OwnerName, p.Node, p.LastWaitReason = evil, evil, evil, evil, evil, evil
	}
	for i := range run.Nodes {
		run.Nodes[i].Node = evil + run.Nodes[i].Node
	}
	return run
}

func TestRender_Escapes(t *testing.T) {
	got := render(t, hostile())
	for _, bad := range []string{"<img", "<svg/", "onerror=\"", "ZgotmplZ"} {
		if i := strings.Index(got, bad); i >= 0 {
			t.Errorf("the page has %q: %.120q", bad, got[max(0, i-40):])
		}
	}
	if got, want := strings.Count(got, "</script>"), 2; got != want {
		t.Errorf("the page ends %d scripts, want %d", got, want)
	}
}

func TestRender_LoadsNothing(t *testing.T) {
	page := render(t, sample.Day(1))
	for _, m := range regexp.MustCompile(`(?i)(?:\b(?:src|href)\s*=\s*"?([^"\s>]*)|@import|url\()`).FindAllStringSubmatch(page, -1) {
		if m[1] != "data:," {
			t.Errorf("the page refers to %q", m[0])
		}
	}
	if !strings.Contains(page, `content="default-src 'none';`) {
		t.Error("the page has no content security policy")
	}
}

func TestRender_Headline(t *testing.T) {
	fast := sample.Small()
	fast.Summary.Run.Speed = 720
	quick := sample.Small()
	quick.Summary.Timing.Pending.OverSecond = 0
	evicted := sample.Small()
	evicted.Summary.Outcome.Pods.Disrupted = 2
	exact := sample.Small()
	exact.Summary.Outcome.Deviations = &results.Deviations{}
	for name, c := range map[string]struct {
		run  *results.Run
		want string
	}{
		"waits":   {sample.Small(), "3 of 9 pods (33%) waited longer than a second for a node, the longest for 35m48s."},
		"why":     {sample.Small(), "What held them up: Insufficient cpu (3 pods)."},
		"never":   {sample.Day(1), "6 never got one."},
		"none":    {sample.Empty(), "No pod was created in this simulation."},
		"all":     {quick, "All 9 pods got a node within a second."},
		"verdict": {sample.Day(1), `<p class="verdict">Replayed with 3 deviations.</p>`},
		"exact":   {exact, `<p class="verdict">Replayed as recorded.</p>`},
		"evicted": {evicted, "the longest for 35m48s. 2 were preempted or evicted."},
		"speedy":  {fast, "what took them a second is 12m wide in the pictures"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(render(t, c.run), c.want) {
				t.Errorf("the page doesn't say %q", c.want)
			}
		})
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestRender_WriteError(t *testing.T) {
	full := errors.New("disk full")
	if err := Render(brokenWriter{full}, sample.Empty()); !errors.Is(err, full) {
		t.Errorf("got error %v, want %v", err, full)
	}
}

func TestThin(t *testing.T) {
	rows := make([]results.TimelineRow, 2001)
	for i := range rows {
		rows[i] = results.TimelineRow{Time: time.Unix(int64(i), 0), Events: 1}
	}
	rows[1234].Pending, rows[777].LagMaxSeconds = 9, 3
	got := thin(rows)
	if len(got) > maxPoints {
		t.Errorf("%d points, want at most %d", len(got), maxPoints)
	}
	pending, lag, events := int32(0), 0.0, int32(0)
	for i, row := range got {
		pending, lag, events = max(pending, row.Pending), max(lag, row.LagMaxSeconds), events+row.Events
		if i > 0 && !row.Time.After(got[i-1].Time) {
			t.Errorf("point %d goes back in time", i)
		}
	}
	if pending != 9 || lag != 3 || events != 2001 {
		t.Errorf("the picture lost something: %d pending, a lag of %g, %d events", pending, lag, events)
	}
	if !got[0].Time.Equal(rows[0].Time) || !got[len(got)-1].Time.Equal(rows[2000].Time) {
		t.Error("the picture doesn't cover the window")
	}
}

func BenchmarkRender(b *testing.B) {
	run := sample.Day(1)
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := Render(&out, run); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(out.Len()))
	}
}
