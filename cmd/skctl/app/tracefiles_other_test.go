package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"simkube.io/simkube/trace"
)

// compress writes a compressed copy of a file.
func compress(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if strings.HasSuffix(to, ".zst") {
		w, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		data = w.EncodeAll(data, nil)
	} else {
		w := gzip.NewWriter(&b)
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRun_OtherEncodings runs every command that reads a trace on encodings of the same trace.
func TestRun_OtherEncodings(t *testing.T) {
	root := inFolder(t)
	plain := filepath.Join(root, "examples", "first-steps.sktrace")
	compress(t, plain, "trace.sktrace.gz")
	compress(t, plain, "trace.sktrace.zst")
	text, _ := do(t, "trace", "cat", "--all", plain)
	if err := os.WriteFile("trace.json", []byte("\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	compress(t, "trace.json", "trace.json.gz")
	program := filepath.Join(t.TempDir(), "a.skel")
	if err := os.WriteFile(program, []byte(`remove(status);`), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := map[string][]string{
		"cat":       {"trace", "cat", "--all", "TRACE"},
		"info":      {"trace", "info", "-o", "json", "TRACE"},
		"hash":      {"trace", "hash", "--trace", "TRACE"},
		"validate":  {"validate", "-o", "json", "TRACE"},
		"xray":      {"xray", "--print", "TRACE"},
		"convert":   {"trace", "convert", "TRACE", "-o", "OUT"},
		"slice":     {"trace", "slice", "TRACE", "-o", "OUT"},
		"merge":     {"trace", "merge", "TRACE", plain, "-o", "OUT"},
		"transform": {"transform", "TRACE", program, "-o", "OUT"},
		"diff":      {"trace", "diff", plain, "TRACE"},
	}
	result := func(args []string, file string) string {
		out := filepath.Join(t.TempDir(), "out.sktrace")
		filled := strings.NewReplacer("TRACE", file, "OUT", out)
		var command []string
		for _, arg := range args {
			command = append(command, filled.Replace(arg))
		}
		_, stdout, _ := run(t, command...)
		made, _ := os.ReadFile(out) // not all commands write one
		return strings.ReplaceAll(stdout, file, "FILE") + string(made)
	}
	for name, args := range commands {
		t.Run(name, func(t *testing.T) {
			want := result(args, plain)
			for _, file := range []string{"trace.sktrace.gz", "trace.sktrace.zst", "trace.json", "trace.json.gz"} {
				got := result(args, file)
				if name == "info" {
					// The size in it is that of the file.
					got, want = withoutSizes(got), withoutSizes(want)
				}
				if got != want {
					t.Errorf("%s: got\n%.500s\nwant\n%.500s", file, got, want)
				}
			}
		})
	}
}

// withoutSizes removes the lines with the size of a file.
func withoutSizes(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, `"size"`) && !strings.Contains(line, `"bytes"`) && !strings.Contains(line, "FILE") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// TestRun_NotATrace checks that a file of another kind is named, with what to do about it.
func TestRun_NotATrace(t *testing.T) {
	inFolder(t)
	for name, test := range map[string]struct{ text, want, hint string }{
		"manifests":  {"# Source: a\n---\napiVersion: v1\nkind: Pod\n", "want a trace, got manifests of Kubernetes objects", "make a trace from it with skctl trace convert"},
		"records":    {`{"event": "Add", "resource": {}}`, "want a trace, got a recording of kube-scheduler-simulator", "make a trace from it with skctl trace convert"},
		"yaml":       {"ts: 1\napplied_objs: []\n", "want a trace, got a trace as YAML", "only the JSON of a trace can be converted back: use skctl trace cat --all without -o yaml, then skctl trace from-json"},
		"empty":      {"", "want a trace, got an empty file", "the program that wrote it may have failed; skctl export writes a trace"},
		"html":       {"<!doctype html>", "want a trace, got an HTML page", "a server may have sent an error instead of the trace: check its address, and open the file"},
		"zip":        {"PK\x03\x04", "want a trace, got a zip archive", "extract the trace from it with unzip"},
		"xz":         {"\xfd7zXZ\x00", "want a trace, got a file compressed with xz", "decompress it with xz -d; traces may be compressed with gzip or zstd"},
		"other json": {`{"message": "no"}`, "want a trace, got JSON of another kind", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile("file", []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{
				{"trace", "info", "file"},
				{"trace", "cat", "file"},
				{"trace", "slice", "file", "-o", "out"},
				{"trace", "merge", "file", "file", "-o", "out"},
				{"validate", "file"},
				{"xray", "--print", "file"},
				{"transform", "file", "-e", "remove(status);", "-o", "out"},
			} {
				code, _, stderr := run(t, args...)
				if code != exitFailed || !strings.Contains(stderr, "byte 0: "+test.want+"\n") {
					t.Errorf("%q: exit code %d, got %q, want %q", args, code, stderr, test.want)
				}
				if test.hint != "" && !strings.HasSuffix(stderr, "\n  hint: "+test.hint+"\n") {
					t.Errorf("%q: got %q, want the hint %q", args, stderr, test.hint)
				}
			}
		})
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("a command wrote its output")
	}
}

// TestFormatHint checks that every format that is no trace, and is known, has a hint.
func TestFormatHint(t *testing.T) {
	for _, f := range []trace.Format{
		trace.FormatGzip, trace.FormatZstd, trace.FormatJSON, trace.FormatYAML, trace.FormatManifests, trace.FormatSchedulerSimulator, trace.FormatTar,
		trace.FormatZip, trace.FormatXZ, trace.FormatBzip2, trace.FormatLZ4, trace.FormatParquet, trace.FormatHTML, trace.FormatXML,
		trace.FormatLFSPointer, trace.FormatUTF16, trace.FormatEmpty,
	} {
		if formatHint(f) == "" {
			t.Errorf("%s: no hint", f)
		}
	}
}

func TestRun_FromJSONWarnsWithoutLifecycles(t *testing.T) {
	root := inFolder(t)
	const want = "warning: the input does not say how long pods ran"
	trace := filepath.Join(root, "examples", "day.sktrace")
	for _, all := range []bool{false, true} {
		args := []string{"trace", "cat", trace}
		if all {
			args = append(args, "--all")
		}
		text, _ := do(t, args...)
		if err := os.WriteFile("a.json", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, stderr := do(t, "trace", "from-json", "a.json", "-o", "b.sktrace")
		if strings.Contains(stderr, want) == all {
			t.Errorf("with --all %t, standard error is %q", all, stderr)
		}
	}
}

// TestRun_ConvertSaysWhatIsLeftOut converts a snapshot of a cluster.
func TestRun_ConvertSaysWhatIsLeftOut(t *testing.T) {
	inFolder(t)
	const text = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system, uid: a, creationTimestamp: "2025-01-01T00:00:00Z"}}
- {apiVersion: v1, kind: Endpoints, metadata: {name: e}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
`
	if err := os.WriteFile("a.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr := do(t, "trace", "convert", "a.yaml")
	for _, want := range []string{
		"warning: left out objects by their namespaces: kube-system (1); use --excluded-namespaces to choose others ('' for none)\n",
		"left out objects of kinds that serve the operation of a cluster, or that --config does not have: Endpoints (1)\n",
		"a.sktrace: 1 event with 1 object",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("standard error is %q, want %q in it", stderr, want)
		}
	}
	_, stderr = do(t, "trace", "convert", "a.yaml", "--excluded-namespaces", "", "-o", "b.sktrace")
	if !strings.Contains(stderr, "b.sktrace: 1 event with 2 objects") {
		t.Errorf("without excluded namespaces, standard error is %q", stderr)
	}
}
