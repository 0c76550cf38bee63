package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer/server"
)

func TestRun_Export_Report(t *testing.T) {
	skel := writeFile(t, "a.skel", "delete(a == b);")
	for name, test := range map[string]struct {
		report *simkubev1.ExportReport
		args   []string
		code   int
		want   string // in the standard error
	}{
		"older tracer": {
			want: "objects in these namespaces are left out: a,b; use --excluded-namespaces to choose others\n",
		},
		"nothing left out": {report: &simkubev1.ExportReport{}},
		"left out": {
			report: &simkubev1.ExportReport{LeftOut: []simkubev1.LeftOutNamespace{{Namespace: "b", Objects: 1200}, {Namespace: "a", Objects: 1}}},
			want:   "objects in these namespaces are left out: b (1,200 objects) and a (1 object); use --excluded-namespaces or",
		},
		"many left out": {
			report: &simkubev1.ExportReport{LeftOut: []simkubev1.LeftOutNamespace{{Namespace: "b", Objects: 2}}, MoreNamespaces: 3, MoreObjects: 4},
			want:   "objects in these namespaces are left out: b (2 objects) and 3 more namespaces (4 objects);",
		},
		"command without effect": {
			report: &simkubev1.ExportReport{Unmatched: []simkubev1.UnmatchedCommand{{Line: 2, Command: "delete(a == b);", Hint: "no a"}}, MoreUnmatched: 2},
			args:   []string{"--transform", skel},
			want:   "warning: --transform: line 2 changes nothing: delete(a == b); (no a)\nwarning: --transform: 2 more commands without an effect\n",
		},
		"strict": {report: &simkubev1.ExportReport{}, args: []string{"--transform", skel, "--strict"}},
		"strict, older tracer": {
			args: []string{"--transform", skel, "--strict"}, code: exitFailed,
			want: "but the tracer does not report whether a command of --transform changes nothing\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := startTracer(t, server.Options{CheckTransform: func(string) []simkubev1.Problem { return nil }}, nil)
			tr.report = test.report
			path := filepath.Join(t.TempDir(), "out.sktrace")
			args := append([]string{"export", "-s", "0", "-t", "60", "--excluded-namespaces", "a,b", "--tracer-address", tr.address, "-o", path}, test.args...)
			code, _, stderr := run(t, args...)
			if code != test.code || !strings.Contains(stderr, test.want) || test.want == "" && strings.Contains(stderr, "left out") {
				t.Errorf("exit code %d, standard error\n%s\nwant %d, %s", code, stderr, test.code, test.want)
			}
			if got, want := tr.requests[0].StrictTransform, strings.HasPrefix(name, "strict"); got != want {
				t.Errorf("the request is strict: %t, want %t", got, want)
			}
		})
	}
}

func TestRun_Simulate_StrictProgram(t *testing.T) {
	trace := filepath.Join(inFolder(t), "examples", "first-steps.sktrace")
	skel := writeFile(t, "a.skel", `delete(kind == "Deploymnet");`)
	code, _, stderr := run(t, "simulate", trace, "--skel", skel, "--strict", "-o", "out")
	want := skel + `: line 1 changes nothing: delete(kind == "Deploymnet") (no object has the kind "Deploymnet": did you mean "Deployment"?)`
	if code != exitFailed || !strings.Contains(stderr, want) || !strings.Contains(stderr, "omit --strict") {
		t.Errorf("exit code %d, standard error %q, want %q", code, stderr, want)
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("the folder of the results was left")
	}
}
