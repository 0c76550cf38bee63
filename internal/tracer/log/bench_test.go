package log

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
)

// objects generates changes like those of a cluster: many objects of a few shapes, whose versions
// differ little.
type objects struct {
	rng *rand.Rand
	n   int
	c   Change
	buf []byte
}

func newObjects(seed uint64, n int) *objects {
	return &objects{rng: rand.New(rand.NewPCG(seed, 2)), n: n}
}

// manifest is about 700 bytes, with the parts that differ by object and by version in between.
const manifest = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{"checksum/config":"%016x"},"labels":{"app.kubernetes.io/instance":"%s",` +
	`"app.kubernetes.io/managed-by":"Helm","app.kubernetes.io/name":"%s","pod-template-hash":"%08x"},"name":"%s","namespace":"team-%d"},` +
	`"spec":{"replicas":%d,"selector":{"matchLabels":{"app.kubernetes.io/name":"%s"}},"strategy":{"rollingUpdate":{"maxSurge":"25%%"}},"template":{"spec":` +
	`{"containers":[{"image":"registry.example.com/team/%s:v1.%d.%d","name":"app","resources":{"requests":{"cpu":"%dm","memory":"%dMi"}}}]}}}}`

func (o *objects) next() *Change {
	i := o.rng.IntN(o.n)
	name := fmt.Sprintf("service-%05d", i)
	o.buf = fmt.Appendf(o.buf[:0], manifest, o.rng.Uint64(), name, name, uint32(i*7919), name, i%50, o.rng.IntN(9), name, name, o.rng.IntN(50), o.rng.IntN(9),
		100*(1+i%8), 64*(1+i%8))
	o.c = Change{
		Op: Applied, Key: deployment(fmt.Sprintf("team-%d/%s", i%50, name)), UID: fmt.Sprintf("%08x-d9cb-469f-a165-%012x", uint32(i*7919), i*104729),
		Hash: xxhash.Sum64(o.buf), Object: bytes.Clone(o.buf),
	}
	return &o.c
}

// many generates n changes, so that generating them is not measured.
func (o *objects) many(n int) []*Change {
	all := make([]*Change, n)
	for i := range all {
		c := *o.next()
		all[i] = &c
	}
	return all
}

// BenchmarkAppend appends changes of 700 bytes to 20,000 objects until all are durable.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 2} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			l := mustOpen(b, b.TempDir(), Options{})
			changes := newObjects(1, 20_000).many(50_000)
			b.SetBytes(int64(len(changes[0].Object)))
			b.ReportAllocs()
			b.ResetTimer()
			appendAll(b, l, changes, writers, b.N)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			reportDisk(b, l, b.N)
		})
	}
}

// appendAll appends n changes from several goroutines and waits until all are durable.
func appendAll(b *testing.B, l *Log, changes []*Change, writers, n int) {
	b.Helper()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < n; i += writers {
				if _, err := l.Append(b.Context(), changes[i%len(changes)]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := l.Sync(b.Context(), l.Stats().Appended); err != nil {
		b.Fatal(err)
	}
}

// reportDisk reports how many bytes an event takes on disk once everything is in tables.
func reportDisk(b *testing.B, l *Log, events int) {
	b.Helper()
	if err := l.db.Flush(); err != nil {
		b.Fatal(err)
	}
	m := l.db.Metrics()
	b.ReportMetric(float64(m.Table.Local.LiveSize)/float64(events), "disk-B/event")
	total := m.Total()
	b.ReportMetric(float64(total.TableBytesFlushed+total.TableBytesCompacted)/float64(max(1, total.TableBytesFlushed)), "write-amp")
}

// BenchmarkChanges reads all changes of a log of 500,000.
func BenchmarkChanges(b *testing.B) {
	l := mustOpen(b, b.TempDir(), Options{})
	const events = 500_000
	appendAll(b, l, newObjects(1, 20_000).many(50_000), 1, events)
	b.ReportAllocs()
	for b.Loop() {
		s := snapshot(b, l)
		n := 0
		for r, err := range s.Changes(0, 1<<62) {
			if err != nil {
				b.Fatal(err)
			}
			n += len(r.Object)
		}
		b.SetBytes(int64(n))
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkStateAt reads the state of 20,000 objects in the middle of 500,000 changes.
func BenchmarkStateAt(b *testing.B) {
	l := mustOpen(b, b.TempDir(), Options{})
	appendAll(b, l, newObjects(1, 20_000).many(50_000), 1, 500_000)
	s := snapshot(b, l)
	middle := (s.Begin() + s.Time()) / 2
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, err := range s.StateAt(middle) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
}

// BenchmarkAppendWhileReading compares appending alone with appending while all changes are read
// over and over, in alternation.
func BenchmarkAppendWhileReading(b *testing.B) {
	l := mustOpen(b, b.TempDir(), Options{})
	changes := newObjects(1, 20_000).many(50_000)
	appendAll(b, l, changes, 1, 500_000)
	const turn = 100_000
	var alone, beside time.Duration
	var read atomic.Int64
	b.ResetTimer()
	for b.Loop() {
		before := time.Now()
		appendAll(b, l, changes, 1, turn)
		alone += time.Since(before)

		ctx, cancel := context.WithCancel(b.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for ctx.Err() == nil {
				s, err := l.Snapshot()
				if err != nil {
					b.Error(err)
					return
				}
				for r, err := range s.Changes(0, 1<<62) {
					if err != nil {
						b.Error(err)
					}
					read.Add(int64(len(r.Object)))
					if ctx.Err() != nil {
						break
					}
				}
				s.Close()
			}
		})
		before = time.Now()
		appendAll(b, l, changes, 1, turn)
		beside += time.Since(before)
		cancel()
		wg.Wait()
	}
	b.ReportMetric(float64(turn*b.N)/alone.Seconds(), "alone/s")
	b.ReportMetric(float64(turn*b.N)/beside.Seconds(), "beside/s")
	b.ReportMetric(float64(read.Load())/beside.Seconds()/1e6, "read-MB/s")
}

// BenchmarkMemory reports the peak size of the heap while 5 million events are appended, with
// exports and retention running.
func BenchmarkMemory(b *testing.B) {
	l := mustOpen(b, b.TempDir(), Options{})
	objects := newObjects(1, 100_000)
	var peak, retained uint64
	measure := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse+m.StackInuse)
	}
	for b.Loop() {
		for i := range 5_000_000 {
			if _, err := l.Append(b.Context(), objects.next()); err != nil {
				b.Fatal(err)
			}
			if i%50_000 == 0 {
				measure()
			}
		}
		for r, err := range l.Objects() {
			if err != nil {
				b.Fatal(err)
			}
			retained += r.Hash & 1
		}
		measure()
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapInuse)/(1<<20), "end-MiB")
	reportDisk(b, l, 5_000_000*b.N)
}
