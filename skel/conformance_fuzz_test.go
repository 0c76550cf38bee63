package skel_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// FuzzRun runs any program on any small trace. It must not panic. The output must be a readable and
// consistent trace, and the same every time. The seeds are the programs and inputs of the
// conformance scripts.
func FuzzRun(f *testing.F) {
	seeds := 0
	for _, c := range conformanceCases(f) {
		in, err := c.input.trace()
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if err := in.Write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(c.program, b.Bytes())
		seeds++
	}
	if got, want := seeds, 200; got < want {
		f.Fatalf("seeds: got %d, want at least %d", got, want)
	}
	f.Fuzz(func(t *testing.T, program string, input []byte) {
		if len(program) > 4<<10 || len(input) > 16<<10 {
			return
		}
		compiled, err := skel.Compile(program)
		if err != nil {
			checkPositions(t, program, err)
			return
		}
		formatted, err := skel.Format(program)
		if err != nil {
			t.Fatalf("format a program that compiles: %v", err)
		}
		again, err := skel.Compile(formatted)
		if err != nil {
			t.Fatalf("compile the formatted program: %v\n%s", err, formatted)
		}
		in, err := trace.Read(bytes.NewReader(input))
		if err != nil {
			return
		}
		first, firstErr := runBytes(t, compiled, in, 1)
		second, secondErr := runBytes(t, again, in, 3)
		if (firstErr == nil) != (secondErr == nil) {
			t.Fatalf("run alone and in parallel: got errors %v and %v, want the same", firstErr, secondErr)
		}
		if firstErr != nil {
			return
		}
		if !bytes.Equal(first, second) {
			t.Fatalf("run alone and in parallel: got different traces\n%s", cmp.Diff(textOf(t, first), textOf(t, second)))
		}
		out, err := trace.Read(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("read the result: %v", err)
		}
		checkIndex(t, in, out)
	})
}

// runBytes runs a program and returns the bytes of the output.
func runBytes(t *testing.T, program *skel.Program, in *trace.Trace, workers int) ([]byte, error) {
	out, _, err := program.RunTrace(t.Context(), in, skel.RunOptions{Workers: workers})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := out.Write(&b); err != nil {
		t.Fatalf("write the result: %v", err)
	}
	return b.Bytes(), nil
}

func textOf(t *testing.T, raw []byte) string {
	read, err := trace.Read(bytes.NewReader(raw))
	if err != nil {
		return err.Error()
	}
	text, err := describe(read)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkPositions checks that an error is an *Error whose mistakes have valid positions in the
// source.
func checkPositions(t *testing.T, program string, err error) {
	var mistakes *skel.Error
	if !errors.As(err, &mistakes) || len(mistakes.Diagnostics) == 0 {
		t.Fatalf("error of Compile: got %v, want an *Error with mistakes", err)
	}
	for _, d := range mistakes.Diagnostics {
		if d.Line < 1 || d.Column < 1 || d.Start < 0 || d.Start > d.End || d.End > len(program) || d.Message == "" {
			t.Errorf("mistake: got %+v, want one with a place in the %d bytes of the source", d, len(program))
		}
	}
}

// checkIndex checks that the index of the output holds the hashes of the last manifests. It checks
// isEmpty if that is not true of the input.
func checkIndex(t *testing.T, in, out *trace.Trace) {
	if cmp.Diff(indexOf(in), in.Index) != "" {
		return
	}
	if diff := cmp.Diff(indexOf(out), out.Index); diff != "" {
		t.Errorf("index (-that of the manifests +got):\n%s", diff)
	}
}

// indexOf computes the index of a trace. It has no kinds without objects.
func indexOf(tr *trace.Trace) trace.Index {
	index := trace.Index{}
	for i := range tr.Events {
		index.Record(&tr.Events[i])
	}
	return index
}

// TestConformance_Order checks that the objects of an event keep their order, regardless of the
// number of objects and of goroutines.
func TestConformance_Order(t *testing.T) {
	const events = 3000
	body := []string{}
	for i := range events {
		body = append(body, fmt.Sprintf("@%d", 1000+i))
		for _, name := range []string{"c", "a", "b"} {
			body = append(body, fmt.Sprintf("+ v1.Pod n/%s-%d {spec: {a: %d}, status: {b: 1}}", name, i, i))
		}
	}
	w, err := parseWorld(&section{body: body}, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := w.trace()
	if err != nil {
		t.Fatal(err)
	}
	const program = `remove(status); delete(metadata.name =~ "^b-.*7$"); modify(@t > 10s, spec.b = spec.a);`
	want := runInMemory(t, program, in, 1)
	if want.err != nil {
		t.Fatal(want.err)
	}
	for _, workers := range []int{2, 7} {
		got := runInMemory(t, program, in, workers)
		if diff := cmp.Diff(outcome(&want), outcome(&got)); diff != "" {
			t.Errorf("with %d workers (-with one +got):\n%s", workers, diff[:min(len(diff), 2000)])
		}
	}
	if got, want := counts(&want), []string{"3000 9000 9000 0", "300 300 0 300", "2989 8668 8668 0"}; !slices.Equal(got, want) {
		t.Errorf("counts: got %q, want %q", got, want)
	}
}
