package trace

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestTrace_Write(t *testing.T) {
	for name, data := range fixtures() {
		t.Run(name, func(t *testing.T) {
			tr := mustRead(t, data)
			written := mustWrite(t, tr)
			again := mustRead(t, written)
			if diff := cmp.Diff(tr, again, sameTrace()); diff != "" {
				t.Errorf("read, written and read (-want +got):\n%s", diff)
			}
			if got := mustWrite(t, again); !bytes.Equal(got, written) {
				t.Errorf("written twice:\ngot  %x\nwant %x", got, written)
			}
		})
	}
	t.Run("samples", func(t *testing.T) {
		for _, sample := range []string{"cronjob.sktrace", "bare-pods.sktrace"} {
			tr, err := ReadFile(samplePath(t, sample))
			if err != nil {
				t.Fatal(err)
			}
			checkUsable(t, tr)
		}
	})
}

// TestTrace_Write_Canonical reads the same content in three encodings and checks that the written
// bytes are the same.
func TestTrace_Write_Canonical(t *testing.T) {
	want := mustWrite(t, mustRead(t, fixtures()["v2"]))
	for _, name := range []string{"v1", "reversed"} {
		if got := mustWrite(t, mustRead(t, fixtures()[name])); !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %x\nwant %x", name, got, want)
		}
	}
	// Written out in full, so that the encoding cannot change without a failure.
	tr := mustRead(t, pack(eventsOf(ordered{
		"zeta", wideUint(200), "kind", "Pod", "data", nil, "metadata",
		ordered{"namespace", "n", "name", "x"},
		"apiVersion", "v1",
		"spec",
		ordered{"b", wideInt(-200), "a", float32(1), "c", []byte{1}},
	})))
	tr.Index, tr.Lifecycles, tr.Config = nil, Lifecycles{}, Config{TrackedObjects: map[schema.GroupVersionKind]TrackedObject{
		podKind:        {TrackLifecycle: true, SkipOwned: true, PodSpecTemplatePaths: []string{""}},
		deploymentKind: {},
	}}
	wantText := pack(ordered{
		"version", 2,
		"config",
		ordered{"trackedObjects", ordered{
			"apps/v1.Deployment",
			ordered{},
			"v1.Pod",
			ordered{"podSpecTemplatePaths", []any{""}, "skipOwned", true, "trackLifecycle", true},
		}},
		"events",
		[]any{ordered{"ts", 1, "applied_objs", []any{ordered{
			"apiVersion", "v1", "kind", "Pod", "metadata",
			ordered{"name", "x", "namespace", "n"},
			"data", nil,
			"spec",
			ordered{"a", 1.0, "b", -200, "c", "AQ=="},
			"zeta", 200,
		}}, "deleted_objs", []any{}}},
		"index",
		ordered{},
		"pod_lifecycles",
		ordered{},
	})
	if got := mustWrite(t, tr); !bytes.Equal(got, wantText) {
		t.Errorf("got  %q\nwant %q", got, wantText)
	}
}

func TestTrace_Write_DeletedObjects(t *testing.T) {
	tr := mustRead(t, pack(traceFields.with("events", []any{
		ordered{"ts", 1, "applied_objs", []any{}, "deleted_objs", []any{podManifest, roleManifest}},
	})))
	want := []any{
		ordered{"apiVersion", "v1", "kind", "Pod", "metadata", ordered{"name", "lone", "namespace", "batch"}},
		ordered{"apiVersion", "rbac.authorization.k8s.io/v1", "kind", "ClusterRole", "metadata", ordered{"name", "reader"}},
	}
	for i, obj := range mustRead(t, mustWrite(t, tr)).Events[0].Deleted {
		if got := obj.Raw(); !bytes.Equal(got, pack(want[i])) {
			t.Errorf("deleted object %d: got %q, want %q", i, got, pack(want[i]))
		}
	}
}

// writeEvents writes a trace with a Writer with the given options.
func writeEvents(t *testing.T, tr *Trace, opts WriterOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, &tr.Config, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := tr.write(w.WriteEvent, w.Finish); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriter_Spool(t *testing.T) {
	dir := t.TempDir()
	tr := mustRead(t, fixtures()["extension"])
	want := writeEvents(t, tr, WriterOptions{Events: len(tr.Events), Extension: true})
	got := writeEvents(t, tr, WriterOptions{SpoolDir: dir})
	if !bytes.Equal(got, want) {
		t.Errorf("with events of unknown number:\ngot  %x\nwant %x", got, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWriter_Misuse(t *testing.T) {
	tr := mustRead(t, fixtures()["v2"])
	first, last := &tr.Events[0], &tr.Events[2]
	tests := []struct {
		name string
		opts WriterOptions
		use  func(*Writer) error
		want error
	}{
		{"too few events", WriterOptions{Events: 2}, func(w *Writer) error {
			return errors.Join(w.WriteEvent(first), w.Finish(&Tail{}))
		}, ErrCount},
		{"too many events", WriterOptions{Events: 1}, func(w *Writer) error {
			return errors.Join(w.WriteEvent(first), w.WriteEvent(first))
		}, ErrCount},
		{"time goes back", WriterOptions{}, func(w *Writer) error {
			return errors.Join(w.WriteEvent(last), w.WriteEvent(first))
		}, ErrOrder},
		{"extension not announced", WriterOptions{Events: 1}, func(w *Writer) error {
			return errors.Join(w.WriteEvent(first), w.Finish(&Tail{Extension: pack(ordered{})}))
		}, ErrCount},
		{"extension announced", WriterOptions{Events: 1, Extension: true}, func(w *Writer) error {
			return errors.Join(w.WriteEvent(first), w.Finish(&Tail{}))
		}, ErrCount},
		{"extension of two values", WriterOptions{}, func(w *Writer) error {
			return w.Finish(&Tail{Extension: pack(raw{mFixMap, mNil})})
		}, ErrTrailing},
		{"extension cut short", WriterOptions{}, func(w *Writer) error { return w.Finish(&Tail{Extension: []byte{mMap16}}) }, ErrTruncated},
		{"extension not a map", WriterOptions{}, func(w *Writer) error { return w.Finish(&Tail{Extension: pack(1)}) }, ErrType},
		{"event after the end", WriterOptions{}, func(w *Writer) error {
			return errors.Join(w.Finish(&Tail{}), w.WriteEvent(first))
		}, ErrFinished},
		{"end after the end", WriterOptions{}, func(w *Writer) error { return errors.Join(w.Finish(&Tail{}), w.Finish(&Tail{})) }, ErrFinished},
		{"event after Close", WriterOptions{}, func(w *Writer) error { return errors.Join(w.Close(), w.WriteEvent(first)) }, ErrFinished},
		{"zero object", WriterOptions{}, func(w *Writer) error { return w.WriteEvent(&Event{Applied: make([]Object, 1)}) }, ErrValue},
		{"zero object deleted", WriterOptions{}, func(w *Writer) error { return w.WriteEvent(&Event{Deleted: make([]Object, 1)}) }, ErrValue},
		{"state of a lifecycle", WriterOptions{}, func(w *Writer) error {
			return w.Finish(&Tail{Lifecycles: Lifecycles{{podKind, "x"}: {1: {{State: 3}}}}})
		}, ErrValue},
		{"name that is not UTF-8", WriterOptions{}, func(w *Writer) error {
			return w.Finish(&Tail{Index: Index{podKind: {"\xff": 1}}})
		}, ErrValue},
		{"kind that cannot be written", WriterOptions{}, func(w *Writer) error {
			return w.Finish(&Tail{Index: Index{{Version: "v1", Kind: "a.b"}: {}}})
		}, ErrValue},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.opts.SpoolDir = t.TempDir()
			w, err := NewWriter(new(bytes.Buffer), &tr.Config, test.opts)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := test.use(w); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// fullDisk accepts a number of bytes and then fails.
type fullDisk struct{ left int }

var errDiskFull = errors.New("the disk is full")

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		return d.left, errDiskFull
	}
	d.left -= len(p)
	return len(p), nil
}

func TestWriter_DiskFull(t *testing.T) {
	tr := mustRead(t, fixtures()["v2"])
	tr.Events = slices.Repeat(tr.Events[:1], 1000)
	size := len(mustWrite(t, tr))
	for left := 0; left < size; left += size/50 + 1 {
		if err := tr.Write(&fullDisk{left}); !errors.Is(err, errDiskFull) {
			t.Errorf("room for %d of %d bytes: got %v, want %v", left, size, err, errDiskFull)
		}
	}
}

func TestTrace_WriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.sktrace")
	tr := mustRead(t, fixtures()["v2"])
	for range 2 { // the second replaces the first
		if err := tr.WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tr, got, sameTrace()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	onlyFile(t, dir, "a.sktrace")

	tr.Events = append(tr.Events, Event{Time: math.MinInt64})
	if err := tr.WriteFile(path); !errors.Is(err, ErrOrder) {
		t.Errorf("a trace that cannot be written: got %v, want %v", err, ErrOrder)
	}
	if again, err := ReadFile(path); err != nil || !cmp.Equal(got, again, sameTrace()) {
		t.Errorf("after a write that failed the file is not what it was: %v", err)
	}
	onlyFile(t, dir, "a.sktrace")
}

func onlyFile(t *testing.T, dir, want string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 || files[0].Name() != want {
		t.Errorf("files: got %v, want only %s", files, want)
	}
}

func TestCreate_Abandoned(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "a.sktrace"), &Config{}, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tr := mustRead(t, fixtures()["v2"])
	if err := w.WriteEvent(&tr.Events[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sktrace")
	data := fixtures()["v2"]
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, want := f.Size(), int64(len(data)); got != want {
		t.Errorf("size: got %d, want %d", got, want)
	}
	for range 2 {
		events := 0
		for _, err := range f.Events() {
			if err != nil {
				t.Fatal(err)
			}
			events++
		}
		if events != 3 {
			t.Errorf("events: got %d, want 3", events)
		}
		if err := f.Rewind(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(path + ".not"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: got %v, want %v", err, fs.ErrNotExist)
	}
}
