package skel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// TestConformance_Files checks that an output file is either complete, or left as it was before.
func TestConformance_Files(t *testing.T) {
	body := []string{"@1000", "+ v1.Pod n/p {spec: {a: 5}, status: {b: 1}}", "@1010", "+ v1.Pod n/q {spec: {a: x}}"}
	// Many events, so that the run can be cancelled while it is running.
	for i := range 20_000 {
		body = append(body, fmt.Sprintf("@%d", 1020+i))
	}
	w, err := parseWorld(&section{body: body}, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := w.trace()
	if err != nil {
		t.Fatal(err)
	}
	const old = "what was there"
	run := func(ctx context.Context, t *testing.T, program string) (after, input []byte, err error) {
		t.Helper()
		dir := t.TempDir()
		from, output := filepath.Join(dir, "in.sktrace"), filepath.Join(dir, "out.sktrace")
		if err := in.WriteFile(from); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(output, []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		compiled, err := skel.Compile(program)
		if err != nil {
			t.Fatal(err)
		}
		_, runErr := compiled.RunFile(ctx, from, output, skel.RunOptions{SpoolDir: dir})
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 2 {
			t.Errorf("files afterwards: got %v, want the input and the output", files)
		}
		after, err = os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		input, err = os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		return after, input, runErr
	}
	var original bytes.Buffer
	if err := in.Write(&original); err != nil {
		t.Fatal(err)
	}
	t.Run("done", func(t *testing.T) {
		after, input, err := run(t.Context(), t, "remove(status); shift(*, 1m);")
		if err != nil || string(after) == old || !bytes.Equal(input, original.Bytes()) {
			t.Errorf("run: got %v and %d bytes, want another output and the same input", err, len(after))
		}
		if _, err := trace.Read(bytes.NewReader(after)); err != nil {
			t.Errorf("read the output: %v", err)
		}
	})
	for name, program := range map[string]string{
		"an error in the second event": "remove(status); delete(spec.a < 1);",
		"an error in what is moved":    "shift(*, 1m); modify(spec.a.b = 1);",
	} {
		t.Run(name, func(t *testing.T) {
			after, _, err := run(t.Context(), t, program)
			var failure *skel.RunError
			if !errors.As(err, &failure) || failure.Line != 1 || string(after) != old {
				t.Errorf("run: got %v and %d bytes of output, want a *RunError in line 1 and %q", err, len(after), old)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		after, _, err := run(ctx, t, "remove(status);")
		if !errors.Is(err, context.Canceled) || string(after) != old {
			t.Errorf("run: got %v and %d bytes of output, want %v and %q", err, len(after), context.Canceled, old)
		}
	})
	t.Run("input and output are one", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "both.sktrace")
		if err := in.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		compiled, err := skel.Compile("remove(status);")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := compiled.RunFile(t.Context(), path, path, skel.RunOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := trace.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := describe(got)
		if err != nil {
			t.Fatal(err)
		}
		want := runInMemory(t, "remove(status);", in, 1)
		same(t, "trace", want.text, text)
	})
	t.Run("no input", func(t *testing.T) {
		compiled, err := skel.Compile("remove(status);")
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := compiled.RunFile(t.Context(), filepath.Join(dir, "none"), filepath.Join(dir, "out"), skel.RunOptions{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("run: got %v, want %v", err, fs.ErrNotExist)
		}
	})
}
