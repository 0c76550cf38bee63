package report

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

func renderIndex(t *testing.T, r *results.Repetitions) string {
	t.Helper()
	var out bytes.Buffer
	if err := RenderIndex(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// broken are runs that all failed.
func broken() *results.Repetitions {
	r := sample.Repetitions()
	r.Interrupted, r.Across = false, nil
	for i := range r.Runs {
		r.Runs[i] = results.Repetition{Number: i + 1, Status: results.RunFailed, Error: "it was not to be", Hint: "try again"}
	}
	return r
}

// hostileRuns are runs in which every string is evil.
func hostileRuns() *results.Repetitions {
	r := sample.Repetitions()
	r.Simulation, r.Trace.Path, r.Trace.SHA256 = evil, evil, evil
	for i := range r.Runs {
		run := &r.Runs[i]
		run.Error, run.Hint, run.Log = evil, evil, evil
	}
	return r
}

func TestRenderIndex_Golden(t *testing.T) {
	for name, r := range map[string]*results.Repetitions{"index": sample.Repetitions(), "index-broken": broken()} {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".html", strings.Replace(renderIndex(t, r), pageStyle, "/* report.css */", 1))
		})
	}
}

func TestRenderIndex_Escapes(t *testing.T) {
	got := renderIndex(t, hostileRuns())
	for _, bad := range []string{"<img", "<svg/", "onerror=\"", "ZgotmplZ", "<script", "</script"} {
		if i := strings.Index(got, bad); i >= 0 {
			t.Errorf("the page has %q: %.120q", bad, got[max(0, i-40):])
		}
	}
}

// The page leads to the reports of runs that have one, and nowhere else.
func TestRenderIndex_Links(t *testing.T) {
	var got []string
	for _, m := range regexp.MustCompile(`(?i)(?:\b(?:src|href)\s*=\s*"?([^"\s>]*)|@import|url\()`).FindAllStringSubmatch(renderIndex(t, sample.Repetitions()), -1) {
		got = append(got, m[1])
	}
	want := "data:, run-01/report.html run-02/report.html run-04/report.html run-05/report.html"
	if text := strings.Join(got, " "); text != want {
		t.Errorf("the page refers to %s, want %s", text, want)
	}
}

func TestRenderIndex_Headline(t *testing.T) {
	good := sample.Repetitions()
	good.Runs = good.Runs[:2]
	good.Across = results.Across(good.Runs)
	alike := sample.Repetitions()
	alike.Across[results.MeasurePendingP99] = results.Spread{Min: 2, Median: 2, Max: 2}
	one := sample.Repetitions()
	one.Runs = one.Runs[:1]
	one.Across = results.Across(one.Runs)
	for name, c := range map[string]struct {
		r          *results.Repetitions
		want, tone string
	}{
		"good":  {good, "99% of pods waited at most 37m39s for a node in the best run, and 39m8s in the worst.", ""},
		"alike": {alike, "In every run, 99% of pods waited at most 2s for a node. 1 of 6 runs failed.", "bad"},
		"one":   {one, "One run finished, in which 99% of pods waited at most 37m39s for a node.", ""},
		"none":  {broken(), "No run finished. 6 of 6 runs failed.", "bad"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, tone := indexHeadline(c.r); got != c.want || tone != c.tone {
				t.Errorf("got  %q, %q\nwant %q, %q", got, tone, c.want, c.tone)
			}
		})
	}
}

func TestRenderIndex_WriteError(t *testing.T) {
	full := errors.New("disk full")
	if err := RenderIndex(brokenWriter{full}, sample.Repetitions()); !errors.Is(err, full) {
		t.Errorf("got error %v, want %v", err, full)
	}
}

// TestRenderIndex_Browser opens the page in Chromium, under the rules of TestRender_Browser.
func TestRenderIndex_Browser(t *testing.T) {
	browser := startBrowser(t)
	for name, c := range map[string]struct {
		r    *results.Repetitions
		rows int
	}{
		"index":         {sample.Repetitions(), 9},
		"index-broken":  {broken(), 6},
		"index-hostile": {hostileRuns(), 9},
	} {
		t.Run(name, func(t *testing.T) {
			tab := openPage(t, browser, renderIndex(t, c.r))
			for _, view := range views {
				t.Run(view.name, func(t *testing.T) {
					view.emulate(t, tab.ctx)
					checkWidth(t, tab, view.width)
					// A row that can be seen, with the run and at least two numbers that can.
					rows := ask[int](t, tab, `[...document.querySelectorAll("#runs tbody tr, #runs tfoot tr")]
						.filter(r => [...r.cells].filter(c => c.offsetWidth > 0 && c.textContent.trim()).length >= 3).length`)
					if rows != c.rows {
						t.Errorf("%d rows can be seen, want %d", rows, c.rows)
					}
					tab.screenshot(t, name+"-"+view.name)
				})
			}
			checkPrint(t, tab, name)
			tab.checkQuiet(t)
		})
	}
}
