package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/tracediff"
	"simkube.io/simkube/trace"
)

// inFolder runs the test in a temporary folder, and returns the repository's path.
func inFolder(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	return root
}

// do runs a command that must succeed, and returns its output.
func do(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := run(t, args...)
	if code != exitDone {
		t.Fatalf("skctl %s: exit code %d, standard error:\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout, stderr
}

func TestRun_TraceConvert(t *testing.T) {
	testdata := filepath.Join(inFolder(t), "internal", "traceconvert", "testdata")
	_, stderr := do(t, "trace", "convert", filepath.Join(testdata, "kwok.yaml"))
	for _, want := range []string{
		"warning: the recording has no times", "kwok.sktrace: 5 events with 6 objects, 2000-01-01T00:00:00Z to 2000-01-01T00:01:00Z\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("standard error has no %q:\n%s", want, stderr)
		}
	}
	_, stderr = do(t, "trace", "convert", filepath.Join(testdata, "kwok.yaml"), "-s", "2025-03-01T08:00:00Z", "-o", "b.sktrace")
	if strings.Contains(stderr, "does not say") || !strings.Contains(stderr, "2025-03-01T08:00:00Z") {
		t.Errorf("with a start time, standard error is\n%s", stderr)
	}
	config := filepath.Join(filepath.Dir(testdata), "..", "..", "config", "tracer", "base", "config.yaml")
	do(t, "trace", "convert", filepath.Join(testdata, "simulator.jsonl"), "--config", config, "-o", "c.sktrace")
	tr, err := trace.ReadFile("c.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Config.TrackedObjects) < 10 || len(tr.Events) != 3 {
		t.Errorf("the trace has %d kinds and %d events, want the configuration's and 3", len(tr.Config.TrackedObjects), len(tr.Events))
	}
}

func TestRun_TraceSliceMergeDiff(t *testing.T) {
	day := filepath.Join(inFolder(t), "examples", "day.sktrace")
	do(t, "trace", "slice", day, "-t", "+2h", "-o", "a.sktrace")
	_, stderr := do(t, "trace", "slice", day, "-s", "+2h")
	if want := "day-slice.sktrace: 629 events with 760 objects, 2026-03-10T02:00:00Z to 2026-03-10T23:59:19Z\n"; !strings.HasSuffix(stderr, want) {
		t.Errorf("standard error is %q, want it to end with %q", stderr, want)
	}
	do(t, "trace", "merge", "a.sktrace", "day-slice.sktrace", "--join")
	whole, err := os.ReadFile(day)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := os.ReadFile("a-merged.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(whole, merged) {
		t.Error("a trace that was cut and joined is another")
	}
	if stdout, _ := do(t, "trace", "diff", day, "a-merged.sktrace"); stdout != "" {
		t.Errorf("the same traces differ:\n%s", stdout)
	}

	code, stdout, stderr := run(t, "trace", "diff", "a.sktrace", day, "-o", "json")
	var report tracediff.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if code != exitFailed || !strings.HasSuffix(stderr, "skctl: the traces differ\n") || report.Same || report.A.Name != "a.sktrace" || len(report.Objects) == 0 {
		t.Errorf("exit code %d, standard error %q, report %+v", code, stderr, report)
	}
	_, stat, _ := run(t, "trace", "diff", "a.sktrace", day, "--stat")
	_, all, _ := run(t, "trace", "diff", "a.sktrace", day)
	lines := strings.Split(strings.TrimSpace(stat), "\n")
	if len(lines) != len(report.Objects)+1 || !strings.Contains(all, "\n+++ b/") || !strings.HasSuffix(all, lines[len(lines)-1]+"\n") {
		t.Errorf("for %d objects, --stat prints\n%s\nand without it is printed\n%s", len(report.Objects), stat, all)
	}
}

// No existing file is replaced unless it is named.
func TestRun_TraceSlice_Again(t *testing.T) {
	day := filepath.Join(inFolder(t), "examples", "day.sktrace")
	do(t, "trace", "slice", day, "-t", "+1h")
	code, _, stderr := run(t, "trace", "slice", day, "-s", "+1h")
	want := "skctl: --output is required: its default, day-slice.sktrace, exists; use --output day-slice.sktrace to replace it\n"
	if code != exitUsage || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit code %d, standard error\n%s\nwant %d and %s", code, stderr, exitUsage, want)
	}
	do(t, "trace", "slice", day, "-s", "+1h", "-o", "day-slice.sktrace")
}

func TestRun_TraceTools_Wrong(t *testing.T) {
	root := inFolder(t)
	day, readme := filepath.Join(root, "examples", "day.sktrace"), filepath.Join(root, "README.md")
	mine := "mine.sktrace"
	do(t, "trace", "slice", day, "-t", "+1h", "-o", mine)
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no input":            {[]string{"convert"}, exitUsage, "skctl: convert: INPUT is missing\n"},
		"a format":            {[]string{"convert", day, "--from", "csv"}, exitUsage, "skctl: invalid --from \"csv\": must be auto, v1, kwok or kss\n"},
		"no recording":        {[]string{"convert", readme, "-o", "x.sktrace"}, exitFailed, "skctl: " + readme + ": neither a trace nor a recording"},
		"a start":             {[]string{"convert", day, "-s", "soon"}, exitUsage, "skctl: invalid --start-time: not a time: \"soon\""},
		"a missing file":      {[]string{"hash", "none.yaml"}, exitFailed, "skctl: open none.yaml: no such file or directory\n"},
		"a folder":            {[]string{"from-json", ".", "-o", "x.sktrace"}, exitFailed, "skctl: open .: is a folder\n  hint: use a file; the names of traces end in .sktrace\n"},
		"a trace":             {[]string{"convert", mine, "-s", "2030-01-01", "--owned", "-o", "x.sktrace"}, exitUsage, "skctl: --start-time, --owned: does not apply to the trace mine.sktrace\n"},
		"the input itself":    {[]string{"convert", mine, "-o", "./" + mine}, exitUsage, "skctl: invalid --output ./mine.sktrace: must not be the input\n"},
		"a nameless input":    {[]string{"slice", "-"}, exitUsage, "skctl: --output is required: there is no default for the standard input\n"},
		"no time":             {[]string{"slice", mine, "-s", "2030-01-01", "-o", "x.sktrace"}, exitFailed, "skctl: mine.sktrace: nothing of the time from 2030-01-01T00:00:00Z on is in the trace, which lasts from 2026-03-10"},
		"the other way round": {[]string{"slice", mine, "-s", "+30m", "-t", "+10m", "-o", "x.sktrace"}, exitFailed, "skctl: mine.sktrace: the time from 2026-03-10T00:30:00Z to 2026-03-10T00:10:00Z is empty\n"},
		"many flags":          {[]string{"slice", mine, "--kinds", "Pod", "--names", "[", "--labels", "a=="}, exitUsage, "skctl: invalid --kinds: "},
		"one trace":           {[]string{"merge", mine}, exitUsage, "skctl: merge: must be at least two traces\n"},
		"flags of merge":      {[]string{"merge", mine, day, "--align", "end", "--on-conflict", "both"}, exitUsage, "skctl: invalid --align \"end\": must be none or start\nskctl: invalid --on-conflict \"both\": must be error, first or last\n"},
		"joined and aligned":  {[]string{"merge", mine, day, "--align", "start", "--join"}, exitUsage, "skctl: --align start and --join: "},
		"two inputs":          {[]string{"merge", "-", "-", "-o", "x.sktrace"}, exitUsage, "skctl: only one of the traces can be the standard input\n"},
		"no second trace":     {[]string{"diff", mine}, exitUsage, "skctl: diff: must be two traces, got 1\n"},
		"flags of diff":       {[]string{"diff", mine, day, "-o", "table"}, exitUsage, "skctl: invalid --output \"table\": must be text, json or yaml\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, append([]string{"trace"}, tc.args...)...)
			at := strings.Index(stderr, "skctl: ")
			if code != tc.code || stdout != "" || at < 0 || !strings.HasPrefix(stderr[at:], tc.want) {
				t.Errorf("exit code %d, standard output %q, standard error\n%s\nwant %d and %q", code, stdout, stderr, tc.code, tc.want)
			}
		})
	}
	left, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	if diff := cmp.Diff([]string{mine}, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Names in traces are escaped on a terminal.
func TestRun_TraceDiff_Escapes(t *testing.T) {
	var out bytes.Buffer
	printer := &diffPrinter{out: &out}
	report := &tracediff.Report{Objects: []tracediff.ObjectDifference{{Kind: "v1.Pod", Name: "a\x1b[2J", Change: tracediff.Added, Diff: "+++ b/a\x1b[2J\n"}}}
	printer.differences(report)
	printer.stat(report)
	if strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("printed is %q", out.String())
	}
}

// Flags with the same meaning have a common name in all commands.
func TestAcceptFlags(t *testing.T) {
	root := newRoot(&program{name: "skctl"})
	for _, line := range []string{
		"export --namespaces --included-namespaces --labels --included-labels --output --output-path",
		"trace slice --namespaces --included-namespaces --labels --included-labels --output",
		"trace convert --namespaces --included-namespaces --config --config-file --output",
		"trace hash --config --config-file --output",
	} {
		var path, flags []string
		for _, word := range strings.Fields(line) {
			if name, ok := strings.CutPrefix(word, "--"); ok {
				flags = append(flags, name)
			} else {
				path = append(path, word)
			}
		}
		cmd, _, err := root.Find(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range flags {
			if cmd.Flags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s", cmd.CommandPath(), flag)
			}
		}
	}
}
