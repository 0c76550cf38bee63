package export

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// generated is a source that generates its records: a million changes of ten thousand to a hundred
// thousand objects of about 700 bytes, and as many pods as objects.
type generated struct {
	objects, changes int
	perSecond        int
	keys             []log.Key
	manifests        [][]byte
}

const generatedBegin = 1_700_000_000_000

func newGenerated(objects, changes, perSecond int) *generated {
	g := &generated{objects: objects, changes: changes, perSecond: perSecond}
	for i := range objects {
		g.keys = append(g.keys, log.Key{GVK: deploymentKind, Name: fmt.Sprintf("team-%02d/service-%06d", i*23/objects, i)})
	}
	for i := range 1000 {
		g.manifests = append(g.manifests, g.manifest(i))
	}
	return g
}

// manifest returns a manifest of about 700 bytes. Its name is not that of its key, which does not
// matter for the time.
func (g *generated) manifest(i int) []byte {
	name := fmt.Sprintf("service-%06d", i)
	labels := map[string]any{"app.kubernetes.io/name": name, "team": strconv.Itoa(i % 23)}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"labels": labels, "annotations": map[string]any{}, "name": name, "namespace": fmt.Sprintf("team-%02d", i%23)},
		"spec": map[string]any{
			"replicas": int64(i % 40), "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{"containers": []any{map[string]any{
					"args": []any{"--listen=:8080", "--log-level=info"}, "image": "registry.example.internal/platform/server:v1.2." + strconv.Itoa(i), "name": "server",
					"ports":     []any{map[string]any{"containerPort": int64(8080), "name": "http", "protocol": "TCP"}},
					"resources": map[string]any{"requests": map[string]any{"cpu": "250m", "memory": "512Mi"}},
				}}, "restartPolicy": "Always", "terminationGracePeriodSeconds": int64(30)},
			},
		},
	}}
	obj, err := trace.NewObject(u)
	if err != nil {
		panic(err)
	}
	return obj.Raw()
}

func (g *generated) end() int64   { return generatedBegin + int64(g.changes/g.perSecond+1)*1000 }
func (g *generated) Begin() int64 { return generatedBegin - 1000 }
func (g *generated) Time() int64  { return g.end() }

func (g *generated) give(from, n int) iter.Seq2[*log.Record, error] {
	return func(yield func(*log.Record, error) bool) {
		var r log.Record
		for i := from; i < from+n; i++ {
			r = log.Record{Seq: log.Seq(i + 1), Time: generatedBegin + int64(max(0, i-g.objects))*1000/int64(g.perSecond)}
			r.Key, r.Op, r.Object = g.keys[i*7%g.objects], log.Applied, g.manifests[i%len(g.manifests)]
			if i >= g.objects && i%10 == 9 {
				r.Op, r.Object = log.Deleted, nil
			}
			if !yield(&r, nil) {
				return
			}
		}
	}
}

func (g *generated) StateAt(int64) iter.Seq2[*log.Record, error] { return g.give(0, g.objects) }

func (g *generated) Changes(_, _ int64) iter.Seq2[*log.Record, error] {
	return g.give(g.objects, g.changes)
}
func (g *generated) Before(log.Key, log.Seq) (*log.Record, error) { return nil, nil }
func (g *generated) At(log.Key, int64) (*log.Record, error)       { return nil, nil }
func (g *generated) Nodes(int64, int64) iter.Seq2[*log.Node, error] {
	return sequence[log.Node](nil, nil)
}

func (g *generated) Gaps(int64, int64) iter.Seq2[*log.Gap, error] { return sequence[log.Gap](nil, nil) }

func (g *generated) Pods(from, to int64) iter.Seq2[*log.Pod, error] {
	return func(yield func(*log.Pod, error) bool) {
		for i := range g.objects {
			at := int64(generatedBegin + i)
			p := log.Pod{
				UID: strconv.Itoa(i), Namespace: "team", Name: strconv.Itoa(i), Hash: uint64(i % 5), Ancestors: g.keys[i/10 : i/10+1], Created: at,
				Lifecycle: trace.Lifecycle{State: trace.Finished, Start: at / 1000, End: at/1000 + 10},
			}
			if !yield(&p, nil) {
				return
			}
		}
	}
}

// countingWriter counts bytes.
type countingWriter struct{ n int64 }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.n += int64(len(p))
	return len(p), nil
}

// BenchmarkRun exports a million changes on one core. MB/s refer to the trace; peak-MB is the
// largest heap seen, without that of the source.
func BenchmarkRun(b *testing.B) {
	for _, test := range []struct {
		name    string
		objects int
		request Request
		opts    Options
	}{
		{"plain", 10_000, Request{}, Options{}},
		{"extension", 10_000, Request{}, Options{Extension: true}},
		{"labels", 10_000, Request{Filters: Filters{ExcludedLabels: selectors(b, "team=7")}}, Options{Extension: true}},
		{"100000objects", 100_000, Request{}, Options{Extension: true}},
	} {
		b.Run(test.name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			source := newGenerated(test.objects, 1_000_000, 100)
			test.request.Start, test.request.End = generatedBegin/1000, source.end()/1000
			test.opts.Config, test.opts.SpoolDir = testConfig(), b.TempDir()
			base := heapInUse()
			var peak atomic.Uint64
			test.opts.Progress = func(Progress) {
				peak.Store(max(peak.Load(), heapInUse()))
			}
			var out countingWriter
			used := cpuTime()
			for b.Loop() {
				out.n = 0
				if _, err := Run(context.Background(), source, test.request, &out, test.opts); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(out.n)
			b.ReportMetric(float64(out.n)*float64(b.N)/1e6/(cpuTime()-used).Seconds(), "MB/cpu-s")
			b.ReportMetric(float64(peak.Load()-min(base, peak.Load()))/1e6, "peak-MB")
			b.ReportMetric(float64(source.changes)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkRun_Log exports from a log on disk with 200,000 changes.
func BenchmarkRun_Log(b *testing.B) {
	source := newGenerated(10_000, 200_000, 100)
	clock := clocktesting.NewFakeClock(time.UnixMilli(generatedBegin - 1000))
	l, err := log.Open(b.TempDir(), log.Options{Clock: clock})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for _, part := range []iter.Seq2[*log.Record, error]{source.StateAt(0), source.Changes(0, 0)} {
		for r := range part {
			clock.SetTime(time.UnixMilli(r.Time))
			change := r.Change
			if _, err := l.Append(context.Background(), &change); err != nil {
				b.Fatal(err)
			}
		}
	}
	s, err := l.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	request := Request{Start: generatedBegin/1000 + 1, End: source.end() / 1000}
	used, total := cpuTime(), int64(0)
	for b.Loop() {
		var out countingWriter
		if _, err := Run(context.Background(), s, request, &out, Options{Config: testConfig(), SpoolDir: b.TempDir(), Extension: true}); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(out.n)
		total += out.n
	}
	b.ReportMetric(float64(total)/1e6/(cpuTime()-used).Seconds(), "MB/cpu-s")
	b.ReportMetric(float64(source.changes)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// heapInUse returns how many bytes are in use, including garbage.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
