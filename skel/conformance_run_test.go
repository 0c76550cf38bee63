package skel_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// result is the outcome of a run.
type result struct {
	// text is the trace in the form of describe.
	text    string
	summary *skel.Summary
	err     error
}

// runInMemory compiles and runs a program on a trace in memory.
func runInMemory(t testing.TB, program string, in *trace.Trace, workers int) result {
	t.Helper()
	compiled, err := skel.Compile(program)
	if err != nil {
		return result{err: err}
	}
	out, summary, err := compiled.RunTrace(t.Context(), in, skel.RunOptions{Workers: workers})
	if err != nil {
		return result{err: err}
	}
	return describeResult(t, out, summary)
}

// runFile compiles and runs a program on the trace in a file. It checks that there is no output
// after an error, and otherwise that the output is a whole trace.
func runFile(t testing.TB, program, in string, workers int) result {
	t.Helper()
	compiled, err := skel.Compile(program)
	if err != nil {
		return result{err: err}
	}
	out := filepath.Join(t.TempDir(), "out.sktrace")
	summary, err := compiled.RunFile(t.Context(), in, out, skel.RunOptions{Workers: workers})
	if err != nil {
		if _, statErr := os.Stat(out); !errors.Is(statErr, fs.ErrNotExist) {
			t.Errorf("output after the error: got %v, want none", statErr)
		}
		return result{err: err}
	}
	read, err := trace.ReadFile(out)
	if err != nil {
		t.Fatalf("output: %v", err)
	}
	return describeResult(t, read, summary)
}

func describeResult(t testing.TB, out *trace.Trace, summary *skel.Summary) result {
	t.Helper()
	text, err := describe(out)
	if err != nil {
		t.Fatal(err)
	}
	return result{text: text, summary: summary}
}
