package skel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// parseTrace parses a trace in the notation of the conformance scripts.
func parseTrace(t *testing.T, text string) *trace.Trace {
	t.Helper()
	w, err := parseWorld(&section{body: strings.Split(strings.TrimSpace(text), "\n")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := w.trace()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// longTrace returns a trace with more events than a run holds at a time.
func longTrace(t *testing.T, events int) *trace.Trace {
	t.Helper()
	var b strings.Builder
	for i := range events {
		fmt.Fprintf(&b, "@%d\n+ v1.Pod n/p-%d {status: {}}\n", 1000+i, i%100)
	}
	return parseTrace(t, b.String())
}

// reader returns a Reader of a trace.
func reader(t *testing.T, in *trace.Trace) *trace.Reader {
	t.Helper()
	var b bytes.Buffer
	if err := in.Write(&b); err != nil {
		t.Fatal(err)
	}
	r, err := trace.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustCompile(t *testing.T, program string) *skel.Program {
	t.Helper()
	compiled, err := skel.Compile(program)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// faultyOutput fails at a given point.
type faultyOutput struct {
	event, finish error
	events        int
	onEvent       func()
}

func (o *faultyOutput) WriteEvent(*trace.Event) error {
	o.events++
	if o.onEvent != nil {
		o.onEvent()
	}
	return o.event
}

func (o *faultyOutput) Finish(*trace.Tail) error { return o.finish }

func (o *faultyOutput) create(*trace.Config, trace.WriterOptions) (skel.Output, error) { return o, nil }

func TestProgram_Run_OutputErrors(t *testing.T) {
	full := errors.New("no space left")
	for _, test := range []struct {
		name, program string
		out           faultyOutput
	}{
		{"an event", `remove(status);`, faultyOutput{event: full}},
		{"an event of a program that moves", `shift(*, 1m);`, faultyOutput{event: full}},
		{"an event of a program that inserts", `insert(0s, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}});`, faultyOutput{event: full}},
		{"the end", `remove(status);`, faultyOutput{finish: full}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spool := t.TempDir()
			_, err := mustCompile(t, test.program).Run(t.Context(), reader(t, longTrace(t, 5000)), test.out.create, skel.RunOptions{Workers: 2, SpoolDir: spool})
			if !errors.Is(err, full) {
				t.Errorf("error: got %v, want %v", err, full)
			}
			if test.out.event != nil && test.out.events != 1 {
				t.Errorf("events behind the error: got %d written, want 1", test.out.events)
			}
			checkEmpty(t, spool)
		})
	}
	t.Run("none is made", func(t *testing.T) {
		create := func(*trace.Config, trace.WriterOptions) (skel.Output, error) { return nil, full }
		_, err := mustCompile(t, `shift(*, 1m);`).Run(t.Context(), reader(t, longTrace(t, 10)), create, skel.RunOptions{})
		if !errors.Is(err, full) {
			t.Errorf("error: got %v, want %v", err, full)
		}
	})
}

// checkEmpty checks that there are no files in a directory and, if the system can list them, no
// open files that were deleted from it.
func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: got %v, %v, want nothing", left, err)
	}
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range open {
		if to, err := os.Readlink(file); err == nil && strings.HasPrefix(to, dir) {
			t.Errorf("left open: got %s, want nothing", to)
		}
	}
}

// TestProgram_Run_NoSpool checks the error for a directory that does not exist.
func TestProgram_Run_NoSpool(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	_, _, err := mustCompile(t, `shift(*, 1m);`).RunTrace(t.Context(), longTrace(t, 10), skel.RunOptions{SpoolDir: dir})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error: got %v, want that %s does not exist", err, dir)
	}
}

func TestProgram_Run_Cancelled(t *testing.T) {
	stop := errors.New("that is enough")
	for _, program := range []string{`remove(status);`, `shift(kind == "Pod", 1m);`} {
		t.Run(program, func(t *testing.T) {
			spool := t.TempDir()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			out := &faultyOutput{}
			done := 0
			progress := func(events int) {
				done = events
				cancel(stop)
			}
			_, err := mustCompile(t, program).Run(ctx, reader(t, longTrace(t, 20000)), out.create, skel.RunOptions{Workers: 2, Progress: progress, SpoolDir: spool})
			if !errors.Is(err, stop) {
				t.Errorf("error: got %v, want %v", err, stop)
			}
			if done == 0 || done == 20000 {
				t.Errorf("events done: got %d, want some of 20000", done)
			}
			checkEmpty(t, spool)
		})
	}
	t.Run("while what was moved is merged", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		spool := t.TempDir()
		out := &faultyOutput{onEvent: func() { cancel(stop) }}
		_, err := mustCompile(t, `shift(*, 1m);`).Run(ctx, reader(t, longTrace(t, 5000)), out.create, skel.RunOptions{SpoolDir: spool})
		if !errors.Is(err, stop) {
			t.Errorf("error: got %v, want %v", err, stop)
		}
		if out.events != 1 {
			t.Errorf("events: got %d, want 1", out.events)
		}
		checkEmpty(t, spool)
	})
	t.Run("files", func(t *testing.T) {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.sktrace"), filepath.Join(dir, "out.sktrace")
		if err := longTrace(t, 10).WriteFile(in); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stop)
		if _, err := mustCompile(t, `remove(status);`).RunFile(ctx, in, out, skel.RunOptions{}); !errors.Is(err, stop) {
			t.Errorf("error: got %v, want %v", err, stop)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
			t.Errorf("files: got %v, want only the input", left)
		}
	})
}

func TestProgram_Run_Progress(t *testing.T) {
	const events = 5000
	var got []int
	progress := func(n int) { got = append(got, n) }
	if _, _, err := mustCompile(t, `delete(metadata.name == "p-1");`).RunTrace(t.Context(), longTrace(t, events), skel.RunOptions{Workers: 3, Progress: progress}); err != nil {
		t.Fatal(err)
	}
	if len(got) < 2 || got[len(got)-1] != events {
		t.Fatalf("progress: got %v, want several, the last %d", got, events)
	}
	for i := range got[1:] {
		if got[i+1] <= got[i] {
			t.Errorf("progress: got %v, want that it grows", got)
		}
	}
}

// changeText returns a change as one line.
func changeText(c *skel.Change) string {
	text := fmt.Sprintf("%d@%d", c.Event, c.Time)
	if c.Before != nil {
		text += " " + c.Before.NamespacedName()
	}
	text += " ->"
	for _, after := range c.After {
		text += " " + after.NamespacedName()
		if after.Shift != 0 {
			text += fmt.Sprintf("%+ds", after.Shift)
		}
	}
	return text
}

func TestProgram_Run_OnChange(t *testing.T) {
	input := `
@1000
+ v1.Pod n/a {spec: {x: 1}}
+ v1.Pod n/b {spec: {x: 2}}
@1010
+ v1.Pod n/a {spec: {x: 3}}
- v1.Pod n/b
`
	for _, test := range []struct {
		name, program string
		maximum       int
		want          []string
	}{
		{"nothing", `remove(status);`, 10, nil},
		{"a value that was there", `modify(metadata.name == "b", spec.x = 2);`, 10, nil},
		{"a field", `modify(metadata.name == "a", spec.y = 5);`, 10, []string{"0@1000 n/a -> n/a", "1@1010 n/a -> n/a"}},
		{"another name", `modify(spec.x == 2, metadata.name = "c");`, 10, []string{"0@1000 n/b -> n/c"}},
		{"nothing is left", `delete(spec.x > 1);`, 10, []string{"0@1000 n/b ->", "1@1010 n/a ->"}},
		{"later", `shift(spec.x == 3, 5s);`, 10, []string{"1@1010 n/a -> n/a+5s"}},
		{"copies", `duplicate(spec.x == 3, 2);`, 10, []string{"1@1010 n/a -> n/a n/a-copy-1 n/a-copy-2"}},
		{
			"insertions come first", `insert(1s, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "i"}}); delete(metadata.name == "b");`, 10,
			[]string{"-1@1001 -> i", "0@1000 n/b ->"},
		},
		{"what is inserted and dropped", `insert(1s, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "i"}}); delete(metadata.name == "i");`, 10, nil},
		{"until it is enough", `modify(spec.y = 5);`, 2, []string{"0@1000 n/a -> n/a", "0@1000 n/b -> n/b"}},
		{"until it is enough, with insertions", `insert(1s, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "i"}}); modify(spec.y = 5);`, 1, []string{"-1@1001 -> i"}},
		{
			"until it is enough, with insertions alone",
			`insert(1s, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "i"}}); insert(2s, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "j"}});`,
			1,
			[]string{"-1@1001 -> i"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			changed := func(c *skel.Change) bool {
				got = append(got, changeText(c))
				return len(got) < test.maximum
			}
			if _, _, err := mustCompile(t, test.program).RunTrace(t.Context(), parseTrace(t, input), skel.RunOptions{Workers: 2, OnChange: changed}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProgram_Run_Summary(t *testing.T) {
	input := `
@1000
+ v1.Pod n/a {spec: {x: 1}, status: {}}
+ v1.Pod n/b {spec: {x: 2}, status: {}}
@1010
+ v1.Pod n/a {spec: {x: 3}}
- v1.Pod n/b
@1020
- v1.Pod n/a
`
	program := mustCompile(t, "remove(status);\nmodify(spec.x > 1,\n  spec.x = 9); delete(metadata.name == \"b\");\nduplicate(metadata.name == \"a\", 1);")
	_, got, err := program.RunTrace(t.Context(), parseTrace(t, input), skel.RunOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := &skel.Summary{
		Counts: skel.Counts{Events: 2, Objects: 4, Fields: 4, Deleted: 2},
		Commands: []skel.CommandSummary{
			{Command: "remove(status)", Line: 1, Counts: skel.Counts{Events: 2, Objects: 3, Fields: 2}},
			{Command: "modify(spec.x > 1, spec.x = 9)", Line: 2, Counts: skel.Counts{Events: 2, Objects: 2, Fields: 2}},
			{Command: `delete(metadata.name == "b")`, Line: 3, Counts: skel.Counts{Events: 2, Objects: 2, Deleted: 2}},
			{Command: `duplicate(metadata.name == "a", 1)`, Line: 4, Counts: skel.Counts{Events: 2, Objects: 2}},
		},
		EventsRead: 3, EventsWritten: 3, ObjectsRead: 5, ObjectsWritten: 6,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestRunError(t *testing.T) {
	input := parseTrace(t, "@1000\n+ v1.Pod n/a\n@1010\n+ v1.Pod n/b {spec: {x: 1}}")
	_, _, err := mustCompile(t, "remove(status);\n  modify(spec.x.y = 1);").RunTrace(t.Context(), input, skel.RunOptions{})
	var failed *skel.RunError
	if !errors.As(err, &failed) {
		t.Fatalf("error: got %v, want a RunError", err)
	}
	got := fmt.Sprintf("%d %d %s %d:%d %s", failed.Event, failed.Time, failed.Object, failed.Line, failed.Column, failed.Message)
	if want := "1 1010 v1.Pod n/b 2:3 spec.x is 1, it has no field y"; got != want {
		t.Errorf("error: got %s, want %s", got, want)
	}
	if got, want := failed.Where(), "event 1 at 1010, v1.Pod n/b"; got != want {
		t.Errorf("place: got %s, want %s", got, want)
	}
}
