package app

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

func TestRun_Transform(t *testing.T) {
	root := inFolder(t)
	first := filepath.Join(root, "examples", "first-steps.sktrace")
	stdout, stderr := do(t, "transform", first, "-e", `scale(kind == "Deployment", 2);`, "-o", "x.sktrace")
	if want := "8 events with 8 objects become 8 with 8\n"; !strings.HasSuffix(stdout, want) || stderr != "written to x.sktrace\n" {
		t.Errorf("standard output\n%s\nstandard error %q", stdout, stderr)
	}
	tr, err := trace.ReadFile("x.sktrace")
	if err != nil || len(tr.Events) != 8 {
		t.Errorf("the trace has %v, %v", tr, err)
	}

	stdout, _ = do(t, "transform", first, "-e", `scale(kind == "Deployment", 2);`, "--dry-run", "--summary", "json")
	var summary skel.Summary
	if err := json.Unmarshal([]byte(stdout), &summary); err != nil || summary.Fields != 4 {
		t.Errorf("the summary is %+v, %v", summary, err)
	}
	stdout, _ = do(t, "transform", first, "-e", `scale(kind == "Deployment", 2);`, "--dry-run", "--changes", "1")
	if want := "event 0, 2026-03-10T09:00:00Z: apps/v1.Deployment demo/web\n"; !strings.HasPrefix(stdout, want) || strings.Count(stdout, "@@ line") != 1 {
		t.Errorf("a dry run prints\n%s", stdout)
	}

	t.Run("program on the standard input", func(t *testing.T) {
		var out, errs bytes.Buffer
		streams := Streams{In: strings.NewReader("remove(spec.replicas);"), Out: &out, Err: &errs}
		code := Run(t.Context(), streams, "v1", []string{"skctl", "transform", first, "-", "--dry-run"})
		if code != exitDone || !strings.Contains(out.String(), "1: remove(spec.replicas)") {
			t.Errorf("exit code %d, standard output\n%s\nstandard error\n%s", code, out.String(), errs.String())
		}
	})
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 1 {
		t.Errorf("there are %v, %v", entries, err)
	}
}

func TestRun_Transform_Wrong(t *testing.T) {
	first := filepath.Join(inFolder(t), "examples", "first-steps.sktrace")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no input":     {nil, exitUsage, "skctl: transform: INPUT is missing\n  hint: see skctl transform --help\n"},
		"too much":     {[]string{"a", "b", "c"}, exitUsage, "skctl: transform: too many arguments: must be INPUT and a SKEL_FILE, got 3: a b c\n  hint: see skctl transform --help\n"},
		"no program":   {[]string{first}, exitUsage, "skctl: transform: a SKEL_FILE or --expression is required\n  hint: see skctl transform --help\n"},
		"two programs": {[]string{first, "x.skel", "-e", "remove(a);"}, exitUsage, "skctl: transform: SKEL_FILE x.skel and --expression: only one of them can be used\n  hint: see skctl transform --help\n"},
		"one input":    {[]string{"-", "-", "-o", "x"}, exitUsage, "skctl: only one of the trace and the program can be the standard input\n  hint: see skctl transform --help\n"},
		"flags": {
			[]string{first, "-e", "remove(a);", "--dry-run", "-o", "x", "--summary", "table", "--changes", "-1"},
			exitUsage,
			"skctl: invalid --summary \"table\": must be text, json or yaml\nskctl: invalid --changes -1: must be 0 or more\nskctl: --output and --dry-run: only one of them can be used\n" +
				"  hint: see skctl transform --help\n",
		},
		"no such program": {[]string{first, "no.skel"}, exitFailed, "skctl: read the program no.skel: no such file or directory\n"},
		"a mistake":       {[]string{first, "-e", "remov(a);"}, exitFailed, "skctl: --expression:1:1: there is no command `remov`\n  1 | remov(a);\n    | ^^^^^\n  hint: did you mean remove?\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, append([]string{"transform"}, tc.args...)...)
			if diff := cmp.Diff(tc.want, stderr); diff != "" || code != tc.code || stdout != "" {
				t.Errorf("exit code %d, want %d; standard output %q; standard error (-want +got):\n%s", code, tc.code, stdout, diff)
			}
		})
	}
}

func TestTransformedName(t *testing.T) {
	now := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	for input, want := range map[string]string{
		"a/day.sktrace":                   "a/day.sktrace.20250301080000",
		"s3://b/day.sktrace":              "s3://b/day.sktrace.20250301080000",
		"https://h/a/day.sktrace?token=x": "day.sktrace.20250301080000",
		"http://h/day.sktrace":            "day.sktrace.20250301080000",
	} {
		if got := transformedName(input, now); got != want {
			t.Errorf("of %s: got %q, want %q", input, got, want)
		}
	}
}

func TestRun_Skel(t *testing.T) {
	inFolder(t)
	for file, text := range map[string]string{"a.skel": "remove( status ) ;", "b.skel": "remove(status);\n", "c.skel": "remov(status);"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"format":         {[]string{"fmt", "a.skel"}, exitDone, "remove(status);\n", ""},
		"check a layout": {[]string{"fmt", "--check", "a.skel", "b.skel"}, exitFailed, "a.skel\n", "skctl: 1 of 2 files are not formatted\n  hint: to format them, run skctl skel fmt -w\n"},
		"both":           {[]string{"fmt", "--check", "-w", "a.skel"}, exitUsage, "", "skctl: --write and --check: only one of them can be used\n  hint: see skctl skel fmt --help\n"},
		"check":          {[]string{"check", "a.skel", "b.skel"}, exitDone, "", ""},
		"mistakes": {
			[]string{"check", "a.skel", "c.skel", "d.skel"},
			exitFailed, "",
			"skctl: c.skel:1:1: there is no command `remov`\n  1 | remov(status);\n    | ^^^^^\n  hint: did you mean remove?\nskctl: read the program d.skel: no such file or directory\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, append([]string{"skel"}, tc.args...)...)
			if code != tc.code || stdout != tc.stdout || stderr != tc.stderr {
				t.Errorf("exit code %d, standard output %q, standard error\n%s\nwant %d, %q and\n%s", code, stdout, stderr, tc.code, tc.stdout, tc.stderr)
			}
		})
	}
	do(t, "skel", "fmt", "-w", "a.skel")
	if text, err := os.ReadFile("a.skel"); err != nil || string(text) != "remove(status);\n" {
		t.Errorf("written is %q, %v", text, err)
	}
}

// Commands that wait for a program on the standard input can be interrupted.
func TestRun_Skel_Interrupted(t *testing.T) {
	for name, args := range map[string][]string{
		"format": {"skel", "fmt"}, "check": {"skel", "check"},
		"transform": {"transform", filepath.Join(repository, "examples", "day.sktrace"), "-", "--dry-run"},
	} {
		t.Run(name, func(t *testing.T) {
			in, feed := io.Pipe()
			defer feed.Close()
			interrupts := make(chan os.Signal, 1)
			interrupts <- os.Interrupt
			var out, errs bytes.Buffer
			code := Run(t.Context(), Streams{In: in, Out: &out, Err: &errs, Interrupts: interrupts}, "v1", append([]string{"skctl"}, args...))
			if code != exitInterrupted || out.Len() > 0 {
				t.Errorf("exit code %d, standard output %q, standard error %q", code, out.String(), errs.String())
			}
		})
	}
}

// Failing to print is an error.
func TestRun_FullDisk(t *testing.T) {
	first := filepath.Join(repository, "examples", "first-steps.sktrace")
	program := filepath.Join(repository, "examples", "skel", "sanitize.skel")
	for name, args := range map[string][]string{
		"a program":   {"skel", "fmt", program},
		"a summary":   {"transform", first, "-e", "modify(a = 1);", "--dry-run", "--changes", "0"},
		"changes":     {"transform", first, "-e", "modify(a = 1);", "--dry-run"},
		"a structure": {"transform", first, "-e", "modify(a = 1);", "--dry-run", "--summary", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Skip("there is no full disk here")
			}
			defer full.Close()
			var errs bytes.Buffer
			code := Run(t.Context(), Streams{Out: full, Err: &errs}, "v1", append([]string{"skctl"}, args...))
			if code != exitFailed || !strings.Contains(errs.String(), "no space left on device") {
				t.Errorf("exit code %d, standard error %q", code, errs.String())
			}
		})
	}
}
