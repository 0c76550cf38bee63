package bigtrace

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

func TestWrite(t *testing.T) {
	opts := Options{Events: 3000, Objects: 400}
	path := write(t, opts)
	got, err := trace.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Events) != opts.Events {
		t.Fatalf("events: got %d, want %d", len(got.Events), opts.Events)
	}

	t.Run("index", func(t *testing.T) {
		want := trace.Index{}
		for i := range got.Events {
			want.Record(&got.Events[i])
		}
		if diff := cmp.Diff(want, got.Index); diff != "" {
			t.Errorf("the index is not that of the events (-want +got):\n%s", diff)
		}
	})

	t.Run("canonical", func(t *testing.T) {
		var again bytes.Buffer
		if err := got.Write(&again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), read(t, path)) {
			t.Error("written again, the trace has other bytes")
		}
	})

	t.Run("pods", func(t *testing.T) { checkPods(t, got) })

	t.Run("size of an event", func(t *testing.T) {
		size := len(read(t, path)) / len(got.Events)
		if size < DefaultEventBytes*8/10 || size > DefaultEventBytes*13/10 {
			t.Errorf("got %d bytes an event, want about %d", size, DefaultEventBytes)
		}
	})
}

// checkPods checks that the hash of bare pods is the one of their lifecycles, and how they change.
func checkPods(t *testing.T, got *trace.Trace) {
	phases := map[string]int{}
	for i := range got.Events {
		for j := range got.Events[i].Applied {
			obj := &got.Events[i].Applied[j]
			if obj.GVK().Kind != "Pod" {
				continue
			}
			u, err := obj.Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			hash, err := trace.HashPodSpec(u.Object["spec"].(map[string]any))
			if err != nil {
				t.Fatal(err)
			}
			owner := trace.PodOwner{GVK: obj.GVK(), Name: obj.NamespacedName()}
			if len(got.Lifecycles[owner][hash]) == 0 {
				t.Errorf("%s has no lifecycle with the hash of its manifest", owner)
			}
			phases[u.Object["status"].(map[string]any)["phase"].(string)]++
		}
	}
	if phases[phasePending] == 0 || phases[phaseRunning] == 0 || len(phases) != 2 {
		t.Errorf("phases of the pods: got %v, want some %s and some %s", phases, phasePending, phaseRunning)
	}
}

func TestWrite_Same(t *testing.T) {
	opts := Options{Events: 500, Objects: 100, EventBytes: 2000}
	first := read(t, write(t, opts))
	if !bytes.Equal(first, read(t, write(t, opts))) {
		t.Error("the same options gave other bytes")
	}
	opts.Seed = 2
	if bytes.Equal(first, read(t, write(t, opts))) {
		t.Error("another seed gave the same bytes")
	}
}

func TestWrite_Refused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.sktrace")
	if err := Write(path, Options{Events: -1}); err == nil {
		t.Error("got no error for -1 events")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}

func BenchmarkWrite(b *testing.B) {
	const events = 20_000
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "big.sktrace")
		if err := Write(path, Options{Events: events}); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(info.Size())
	}
}

func write(t *testing.T, opts Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "big.sktrace")
	if err := Write(path, opts); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
