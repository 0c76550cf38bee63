package timeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/trace"
)

// open opens a trace and waits for its index.
func open(t testing.TB, path string) *File {
	t.Helper()
	f := begin(t, path)
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// begin opens a trace.
func begin(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// eachTrace runs a test with each of the traces: recorded ones, generated ones, and one of version
// 1.
func eachTrace(t *testing.T, test func(t *testing.T, path string)) {
	made := filepath.Join(t.TempDir(), "made.sktrace")
	if err := bigtrace.Write(made, bigtrace.Options{Events: 2000, Objects: 150}); err != nil {
		t.Fatal(err)
	}
	examples := filepath.Join("..", "..", "examples")
	for name, path := range map[string]string{
		"day":         filepath.Join(examples, "day.sktrace"),
		"first steps": filepath.Join(examples, "first-steps.sktrace"),
		"made up":     made,
		"unordered":   unordered(t, made),
		"version 1":   versionOne(t, filepath.Join(examples, "first-steps.sktrace")),
	} {
		t.Run(name, func(t *testing.T) {
			test(t, path)
		})
	}
	for name, recording := range map[string]string{"bare pods": "bare-pods.sktrace", "cron job": "cronjob.sktrace"} {
		t.Run(name, func(t *testing.T) { test(t, prerequisite.Recording(t, recording)) })
	}
}

// rawEvents returns the bytes of a trace's events.
func rawEvents(t *testing.T, path string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var events [][]byte
	for from := r.Offset(); ; from = r.Offset() {
		if _, err := r.Next(); err != nil {
			return events
		}
		events = append(events, data[from:r.Offset()])
	}
}

// unordered returns a trace with the events of another one, the second half before the first.
func unordered(t *testing.T, path string) string {
	events := rawEvents(t, path)
	half := len(events) / 2
	data := msgp.AppendMapHeader(nil, 5)
	data = msgp.AppendInt(msgp.AppendString(data, "version"), 2)
	data = msgp.AppendMapHeader(msgp.AppendString(data, "config"), 0)
	data = msgp.AppendArrayHeader(msgp.AppendString(data, "events"), uint32(len(events)))
	data = append(data, bytes.Join(events[half:], nil)...)
	data = append(data, bytes.Join(events[:half], nil)...)
	data = msgp.AppendMapHeader(msgp.AppendString(data, "index"), 0)
	data = msgp.AppendMapHeader(msgp.AppendString(data, "pod_lifecycles"), 0)
	return writeTrace(t, data)
}

// versionOne returns a trace of version 1 with the events of another one.
func versionOne(t *testing.T, path string) string {
	events := rawEvents(t, path)
	data := msgp.AppendArrayHeader(nil, 4)
	data = msgp.AppendMapHeader(data, 0)
	data = msgp.AppendArrayHeader(data, uint32(len(events)))
	data = append(data, bytes.Join(events, nil)...)
	data = msgp.AppendMapHeader(data, 0)
	data = msgp.AppendMapHeader(data, 0)
	return writeTrace(t, data)
}

func writeTrace(t *testing.T, data []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.sktrace")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFile_Event compares every event with that of a Reader.
func TestFile_Event(t *testing.T) {
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		whole, err := trace.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != len(whole.Events) {
			t.Fatalf("events: got %d, want %d", f.Len(), len(whole.Events))
		}
		for i, want := range whole.Events {
			got, err := f.Event(i)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain(&want), plain(got)); diff != "" {
				t.Fatalf("event %d (-read +got):\n%s", i, diff)
			}
			info := f.Info(i)
			if info.Time != want.Time || info.Applied != len(want.Applied) || info.Deleted != len(want.Deleted) {
				t.Fatalf("event %d: got %+v, want the time %d and %d and %d objects", i, info, want.Time, len(want.Applied), len(want.Deleted))
			}
		}
		if diff := cmp.Diff(whole.Config.TrackedObjects, f.Config().TrackedObjects); diff != "" {
			t.Errorf("config (-want +got):\n%s", diff)
		}
		tail, ok := f.Tail()
		if diff := cmp.Diff(&trace.Tail{Index: whole.Index, Lifecycles: whole.Lifecycles, Extension: whole.Extension}, tail); !ok || diff != "" {
			t.Errorf("tail, there: %t (-want +got):\n%s", ok, diff)
		}
		p := f.Progress()
		if want := (Progress{Events: f.Len(), Total: f.Len(), Bytes: p.Size, Size: p.Size, Done: true}); p != want {
			t.Errorf("progress: got %+v, want %+v", p, want)
		}
	})
}

// plain returns an event in a comparable form.
func plain(e *trace.Event) map[string]any {
	raw := func(objects []trace.Object) (all []string) {
		for i := range objects {
			all = append(all, objects[i].NamespacedName()+" "+string(objects[i].Raw()))
		}
		return all
	}
	return map[string]any{"time": e.Time, "applied": raw(e.Applied), "deleted": raw(e.Deleted)}
}

func TestFile_NotIndexed(t *testing.T) {
	f := open(t, "../../examples/first-steps.sktrace")
	for _, event := range []int{-1, f.Len()} {
		if _, err := f.Event(event); !errors.Is(err, ErrNotIndexed) {
			t.Errorf("event %d: got the error %v", event, err)
		}
		if got := f.Info(event); got != (EventInfo{}) {
			t.Errorf("info of event %d: got %+v", event, got)
		}
		if got := f.Objects(event); got != nil {
			t.Errorf("objects of event %d: got %v", event, got)
		}
	}
	first := f.Info(0)
	for _, p := range []Place{{Event: -1}, {Event: f.Len()}, {Index: -1}, {Index: first.Applied}, {Index: first.Deleted, Deleted: true}} {
		if info, ok := f.ObjectAt(p); ok {
			t.Errorf("object at %+v: got %+v", p, info)
		}
		if q, ok := f.Next(p); ok {
			t.Errorf("next of %+v: got %+v", p, q)
		}
		if _, err := f.ObjectManifest(p); !errors.Is(err, ErrNotIndexed) {
			t.Errorf("manifest at %+v: got the error %v", p, err)
		}
	}
	id := ObjectID(f.Distinct())
	if f.Object(id) != (Key{}) || f.History(id) != nil || f.Versions(id) != 0 {
		t.Errorf("an ID too many has a key, a history or versions")
	}
}

// TestFile_Truncated reads traces that are cut off.
func TestFile_Truncated(t *testing.T) {
	for path, step := range map[string]int{"../../examples/first-steps.sktrace": 7, "../../examples/day.sktrace": 25_000} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			whole := open(t, path)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for n := int(whole.Info(0).Offset); n < len(data); n += step {
				checkTruncated(t, whole, data[:n])
			}
		})
	}
}

func checkTruncated(t *testing.T, whole *File, data []byte) {
	t.Helper()
	n := int64(len(data))
	f := begin(t, writeTrace(t, data))
	err := f.Wait(t.Context())
	var format *trace.FormatError
	if !errors.Is(err, trace.ErrTruncated) || !errors.As(err, &format) || format.Offset != n {
		t.Fatalf("cut to %d bytes: got the error %v", n, err)
	}
	if p := f.Progress(); !p.Done || p.Err == nil {
		t.Fatalf("cut to %d bytes: got the progress %+v", n, p)
	}
	want := 0
	for want < whole.Len() && whole.Info(want).Offset+whole.Info(want).Size <= n {
		want++
	}
	if f.Len() != want {
		t.Fatalf("cut to %d bytes: got %d events, want %d", n, f.Len(), want)
	}
	if _, ok := f.Tail(); ok {
		t.Errorf("cut to %d bytes: there is a tail", n)
	}
	if want == 0 {
		return
	}
	if got, want := f.Info(want-1), whole.Info(want-1); got != want {
		t.Errorf("cut to %d bytes: last event: got %+v, want %+v", n, got, want)
	}
	if _, err := f.Event(want - 1); err != nil {
		t.Errorf("cut to %d bytes: %v", n, err)
	}
}

func TestOpen_Refused(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name, path string
		ctx        context.Context
		want       string
	}{
		{"nothing there", filepath.Join(t.TempDir(), "none"), t.Context(), "no such file"},
		{"a folder", t.TempDir(), t.Context(), "not a regular file"},
		{"something else", writeTrace(t, []byte("hello")), t.Context(), "want a trace"},
		{"cancelled", "../../examples/day.sktrace", ended, "context canceled"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Open(test.ctx, test.path, Options{})
			if err == nil {
				f.Close()
				t.Fatal("got no error")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.path) {
				t.Errorf("got %q, want %q in it and the path", err, test.want)
			}
		})
	}
}

// TestFile_Close checks that Close neither hangs nor leaves a goroutine, see TestMain.
func TestFile_Close(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{Events: 20_000, Objects: 500}); err != nil {
		t.Fatal(err)
	}
	t.Run("early", func(t *testing.T) {
		f, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		p := f.Progress()
		if !p.Done || p.Events < p.Total && !errors.Is(p.Err, context.Canceled) {
			t.Errorf("got %+v, want it done, and an error unless all was read", p)
		}
		if _, err := f.Event(f.Len() - 1); err == nil {
			t.Error("an event could be read after Close")
		}
	})
	t.Run("the context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f, err := Open(ctx, path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cancel()
		if err := f.Wait(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got the error %v", err)
		}
	})
	t.Run("waiting ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f := begin(t, path)
		if err := f.Wait(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got the error %v", err)
		}
	})
}

// TestFile_FileChanges writes to a file that is open.
func TestFile_FileChanges(t *testing.T) {
	data, err := os.ReadFile("../../examples/first-steps.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	overwritten := bytes.Clone(data)
	for i := range overwritten {
		overwritten[i] ^= 0x55
	}
	for name, after := range map[string][]byte{"shorter": data[:100], "empty": nil, "overwritten": overwritten} {
		t.Run(name, func(t *testing.T) {
			path := writeTrace(t, data)
			f := open(t, path)
			if err := os.WriteFile(path, after, 0o600); err != nil {
				t.Fatal(err)
			}
			last := f.Len() - 1
			if _, err := f.Event(last); !errors.Is(err, ErrChanged) {
				t.Errorf("event: got the error %v", err)
			}
			s, err := f.Select(Filter{Match: func(int64, *trace.Object) (bool, error) { return true, nil }}, last)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, _, err := s.Next(t.Context()); !errors.Is(err, ErrChanged) {
					t.Errorf("selection: got the error %v", err)
				}
			}
		})
	}
}

// TestFile_Concurrent reads from several goroutines while the index grows.
func TestFile_Concurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{Events: 20_000, Objects: 500}); err != nil {
		t.Fatal(err)
	}
	f := begin(t, path)
	errs := make(chan error)
	const readers = 4
	for range readers {
		go func() { errs <- readNewest(f) }()
	}
	for range readers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if err := f.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// readNewest reads the last indexed event until the index is done.
func readNewest(f *File) error {
	for {
		done := f.Progress().Done
		last := f.Len() - 1
		for _, o := range f.Objects(last) {
			before, ok := f.Previous(o.Place)
			if !ok {
				continue
			}
			if after, ok := f.Next(before); !ok || after != o.Place {
				return errors.New("the next version of the previous one is another")
			}
			if _, err := f.ObjectManifest(before); err != nil {
				return err
			}
		}
		f.Kinds()
		if from, to, ok := f.Span(); ok {
			f.Activity(from, to, 10)
		}
		if done {
			return nil
		}
	}
}
