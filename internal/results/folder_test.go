package results

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrite_RoundTrip(t *testing.T) {
	for name, run := range map[string]*Run{
		"full":  history(1).Run(info(200)),
		"nodes": twoNodes().Run(info(100)),
		"gpus":  withGPUs().Run(info(100)),
		"empty": NewRecorder().Run(info(10)),
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "made", "on", "the", "way")
			if err := Write(dir, run, WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			got, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			// No rows are no rows, however a reader says so.
			empty := cmp.Transformer("nil", func(rows []EventRow) []EventRow { return append([]EventRow{}, rows...) })
			if diff := cmp.Diff(run.Summary, got.Summary); diff != "" {
				t.Errorf("summary (-written +read):\n%s", diff)
			}
			compareRows(t, "pods", run.Pods, got.Pods)
			compareRows(t, "nodes", run.Nodes, got.Nodes)
			compareRows(t, "timeline", run.Timeline, got.Timeline)
			if diff := cmp.Diff(run.Events, got.Events, empty); diff != "" {
				t.Errorf("events (-written +read):\n%s", diff)
			}
		})
	}
}

func compareRows[T any](t *testing.T, name string, want, got []T) {
	t.Helper()
	if len(want) == 0 && len(got) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-written +read):\n%s", name, diff)
	}
}

func TestWrite_SameBytes(t *testing.T) {
	first, second := t.TempDir()+"/a", t.TempDir()+"/b"
	for _, dir := range []string{first, second} {
		if err := Write(dir, history(1).Run(info(200)), WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{SummaryFile, PodsFile, NodesFile, TimelineFile, EventsFile} {
		a, errA := os.ReadFile(filepath.Join(first, name))
		b, errB := os.ReadFile(filepath.Join(second, name))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs between two folders of one run (%v, %v)", name, errA, errB)
		}
	}
}

func TestWrite_InTheWay(t *testing.T) {
	run := NewRecorder().Run(info(10))
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		prepare   func(t *testing.T, dir string)
		overwrite bool
		want      *ExistsError // its Dir is filled in
	}{
		"nothing":      {prepare: func(t *testing.T, dir string) {}},
		"empty folder": {prepare: func(t *testing.T, dir string) { os.Mkdir(dir, 0o755) }},
		"results": {
			prepare: func(t *testing.T, dir string) {
				if err := Write(dir, run, WriteOptions{}); err != nil {
					t.Fatal(err)
				}
			},
			want: &ExistsError{Results: true},
		},
		"results to replace": {
			prepare: func(t *testing.T, dir string) {
				if err := Write(dir, run, WriteOptions{}); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, "notes.txt"), "of the run before")
			},
			overwrite: true,
		},
		"somebody's folder": {
			prepare: func(t *testing.T, dir string) {
				os.Mkdir(dir, 0o755)
				write(t, filepath.Join(dir, "thesis.tex"), "years of work")
			},
			overwrite: true,
			want:      &ExistsError{},
		},
		"file": {
			prepare:   func(t *testing.T, dir string) { write(t, dir, "a file") },
			overwrite: true,
			want:      &ExistsError{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			c.prepare(t, dir)
			checked := CheckOutput(dir, c.overwrite)
			err := Write(dir, run, WriteOptions{Overwrite: c.overwrite})
			for _, err := range []error{checked, err} {
				var exists *ExistsError
				if errors.As(err, &exists); c.want == nil && err != nil {
					t.Errorf("got error %v", err)
				} else if c.want != nil && (exists == nil || exists.Results != c.want.Results || exists.Dir != dir) {
					t.Errorf("got error %v, want %+v", err, c.want)
				}
			}
			if c.want == nil {
				if _, err := Read(dir); err != nil {
					t.Errorf("read it back: %v", err)
				}
			}
			checkAlone(t, dir)
		})
	}
}

// checkAlone fails if anything is beside a folder.
func checkAlone(t *testing.T, dir string) {
	t.Helper()
	beside, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range beside {
		if entry.Name() != filepath.Base(dir) {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}

func TestWrite_ReportFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	broken := errors.New("no ink")
	err := Write(dir, NewRecorder().Run(info(10)), WriteOptions{Report: func(io.Writer, *Run) error { return broken }})
	if !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a folder all the same: %v", err)
	}
	checkAlone(t, dir)
}

func TestRead_Broken(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"no summary": {func(dir string) error { return os.Remove(filepath.Join(dir, SummaryFile)) }, "not a result folder: there is no summary.json in it"},
		"no version": {func(dir string) error { return os.WriteFile(filepath.Join(dir, SummaryFile), []byte("{}"), 0o600) }, "has no schemaVersion"},
		"not JSON":   {func(dir string) error { return os.WriteFile(filepath.Join(dir, SummaryFile), []byte("{"), 0o600) }, "unexpected end of JSON input"},
		"another version": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, SummaryFile), []byte(`{"schemaVersion": 9}`), 0o600)
		}, "has schema version 9, and this program reads version 1"},
		"no pods":    {func(dir string) error { return os.Remove(filepath.Join(dir, PodsFile)) }, "pods.parquet: no such file"},
		"empty pods": {func(dir string) error { return os.Truncate(filepath.Join(dir, PodsFile), 0) }, PodsFile},
		"cut nodes":  {func(dir string) error { return os.Truncate(filepath.Join(dir, NodesFile), 300) }, NodesFile},
		"text for events": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, EventsFile), []byte("PAR1PAR1PAR1"), 0o600)
		}, EventsFile},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			if err := Write(dir, history(1).Run(info(200)), WriteOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Read(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
	t.Run("no checksums", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "out")
		if err := Write(dir, history(1).Run(info(200)), WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, ChecksumsFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err != nil {
			t.Errorf("a folder from the time before there were checksums: %v", err)
		}
	})
}

// TestRead_Damaged flips bytes of every Parquet file, and cuts it, all over: what the decoder would
// make of it is not defined, so that it must not see it.
func TestRead_Damaged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if err := Write(dir, history(1).Run(info(200)), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{PodsFile, NodesFile, TimelineFile, EventsFile, ChecksumsFile} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damage := func(what string, at int, data []byte) {
			t.Helper()
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(dir); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s, byte %d %s: got error %v, want %v", name, at, what, err, ErrDamaged)
			}
		}
		step := max(1, len(whole)/200)
		for at := 0; at < len(whole); at += step {
			broken := bytes.Clone(whole)
			broken[at] ^= 0x5a
			damage("flipped", at, broken)
			damage("and all behind it gone", at, whole[:at])
		}
		damage("more", len(whole), append(bytes.Clone(whole), 0))
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWrite_Checksums holds the file of checksums against the files, and against the format of
// sha256sum.
func TestWrite_Checksums(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	report := func(w io.Writer, _ *Run) error { _, err := io.WriteString(w, "<html>"); return err }
	output := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(output, []byte("printed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := []File{{Name: "with-1.log", Path: output}}
	if err := Write(dir, history(1).Run(info(20)), WriteOptions{Report: report, Files: files}); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, name := range []string{EventsFile, NodesFile, PodsFile, ReportFile, SummaryFile, TimelineFile, "with-1.log"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(data), name)
	}
	got, err := os.ReadFile(filepath.Join(dir, ChecksumsFile))
	if diff := cmp.Diff(want.String(), string(got)); diff != "" || err != nil {
		t.Errorf("checksums (-want +got): %v\n%s", err, diff)
	}
}
