package timeline

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/trace"
)

// TestFile_ObjectManifest reads every object by itself.
func TestFile_ObjectManifest(t *testing.T) {
	eachTrace(t, func(t *testing.T, path string) {
		f := open(t, path)
		m, whole := newModel(t, path)
		for i, infos := range m.infos {
			for _, info := range infos {
				got, err := f.ObjectManifest(info.Place)
				if err != nil {
					t.Fatal(err)
				}
				if want := objectIn(&whole.Events[i], info.Place); !bytes.Equal(got.Raw(), want.Raw()) {
					t.Fatalf("object at %+v: got %q, want %q", info.Place, got.Raw(), want.Raw())
				}
			}
		}
	})
}

// TestFile_LargeEvent reads objects of an event that is too large to be read for one of them.
func TestFile_LargeEvent(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made.sktrace")
	if err := bigtrace.Write(made, bigtrace.Options{Events: 1, Objects: 1000}); err != nil {
		t.Fatal(err)
	}
	whole, err := trace.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	large := &whole.Events[0]
	for i := range large.Applied[:50] {
		obj, err := trace.NewDeleted(large.Applied[i].GVK(), large.Applied[i].NamespacedName())
		if err != nil {
			t.Fatal(err)
		}
		large.Deleted = append(large.Deleted, obj)
	}
	path := filepath.Join(t.TempDir(), "large.sktrace")
	if err := whole.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	if size := f.Info(0).Size; size < largeEvent {
		t.Fatalf("the event has %d bytes, which is not large", size)
	}
	for _, info := range f.Objects(0) {
		got, err := f.ObjectManifest(info.Place)
		if err != nil {
			t.Fatal(err)
		}
		if want := objectIn(large, info.Place); !bytes.Equal(got.Raw(), want.Raw()) {
			t.Fatalf("object at %+v: got %q, want %q", info.Place, got.Raw(), want.Raw())
		}
	}
	if f.cache.has(0) {
		t.Error("the whole event was read")
	}

	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := []byte(large.Applied[7].Name())
	if err := os.WriteFile(path, bytes.ReplaceAll(data, name, bytes.Repeat([]byte("x"), len(name))), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ObjectManifest(Place{Index: 7}); !errors.Is(err, ErrChanged) {
		t.Errorf("an object with another name: got the error %v", err)
	}
}
