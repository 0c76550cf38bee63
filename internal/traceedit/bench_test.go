package traceedit

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// benchTrace writes a trace of 2,000 objects of about 3 KB that change for a day, two every second,
// about 512 MB. It returns the input and its size.
func benchTrace(b *testing.B) (Input, int64) {
	b.Helper()
	const objects, seconds, perSecond = 2000, 86400, 2
	path := filepath.Join(b.TempDir(), "bench.sktrace")
	config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{deploymentKind: {}}}
	w, err := trace.Create(path, config, trace.WriterOptions{Events: seconds})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	object := func(n, version int) trace.Object {
		var env []any
		for i := range 40 {
			env = append(env, map[string]any{"name": fmt.Sprintf("SETTING_%02d", i), "value": fmt.Sprintf("https://service-%04d.example.internal:8443/v%d", n, i)})
		}
		u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"replicas": int64(version), "template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "env": env}}}},
		}}}
		u.SetGroupVersionKind(deploymentKind)
		u.SetNamespace(fmt.Sprintf("team-%02d", n%20))
		u.SetName(fmt.Sprintf("service-%04d", n))
		o, err := trace.NewObject(u)
		if err != nil {
			b.Fatal(err)
		}
		return o
	}
	variants := make([][2]trace.Object, objects)
	for n := range variants {
		variants[n] = [2]trace.Object{object(n, 1), object(n, 2)}
	}
	index := trace.Index{}
	for second := range seconds {
		e := trace.Event{Time: int64(1_700_000_000 + second)}
		for i := range perSecond {
			if n := second*perSecond + i; second > 0 {
				e.Applied = append(e.Applied, variants[n%objects][n/objects%2])
			}
		}
		if second == 0 {
			for n := range variants {
				e.Applied = append(e.Applied, variants[n][1])
			}
		}
		index.Record(&e)
		if err := w.WriteEvent(&e); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Finish(&trace.Tail{Index: index}); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return Input{Path: path}, info.Size()
}

// peak is the maximum size of the live heap, sampled at each call of progress.
type peak struct{ bytes uint64 }

func (p *peak) sample() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.bytes = max(p.bytes, m.HeapInuse)
}

// BenchmarkEdit slices and merges a generated trace. MB/s refers to the input.
//
//	go test -run '^$' -bench Edit -benchtime 1x ./internal/traceedit
func BenchmarkEdit(b *testing.B) {
	in, size := benchTrace(b)
	measure := func(name string, bytes int64, edit func(out string, progress func(int)) error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(bytes)
			var memory peak
			calls := 0
			for b.Loop() {
				if err := edit(filepath.Join(b.TempDir(), "out"), func(int) {
					if calls++; calls%10000 == 0 {
						memory.sample()
					}
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(memory.bytes)/(1<<20), "peak-MiB")
		})
	}
	begin := int64(1_700_000_000)
	measure("slice an hour", size, func(out string, progress func(int)) error {
		_, err := Slice(b.Context(), in, out, SliceOptions{Window: window(begin+43200, begin+46800), Progress: progress})
		return err
	})
	measure("slice everything", size, func(out string, progress func(int)) error {
		_, err := Slice(b.Context(), in, out, SliceOptions{Progress: progress})
		return err
	})
	halves := []Input{{Path: filepath.Join(b.TempDir(), "a")}, {Path: filepath.Join(b.TempDir(), "b")}}
	for n, half := range halves {
		if _, err := Slice(b.Context(), in, half.Path, SliceOptions{Window: window(begin+int64(n)*43200, begin+int64(n+1)*43200)}); err != nil {
			b.Fatal(err)
		}
	}
	measure("join halves", size, func(out string, progress func(int)) error {
		_, err := Merge(b.Context(), halves, out, MergeOptions{Join: true, Progress: progress})
		return err
	})
	measure("interleave halves", size, func(out string, progress func(int)) error {
		_, err := Merge(b.Context(), halves, out, MergeOptions{Align: true, OnConflict: ConflictLast, Progress: progress})
		return err
	})
}
