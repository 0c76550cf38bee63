package tracer

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
)

// BenchmarkMemory measures the resident memory of a tracer, including the pages of its log's files
// that it has mapped or read, with 100,000 live pods and five million logged changes. An iteration
// is all of that: -benchtime 1x.
func BenchmarkMemory(b *testing.B) {
	const livePods, logged = 100_000, 5_000_000
	if residentBytes() == 0 {
		b.Skip("this system does not tell how much memory is resident")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(GCPercent)) // as sk-tracer does
	for b.Loop() {
		server := serveStreams(b,
			func(i int) []byte { return deploymentFrame(i%10_000, i/10_000+1) },
			func(i int) []byte { return podFrame(i%livePods, i/livePods) })
		t := benchTracer(b, server, lifecycles(deploymentKind))
		server.pods.send(3 * livePods) // created, scheduled, running
		awaitEvents(b, t, podKind, 3*livePods)
		runtime.GC()
		pods := residentBytes()
		server.deployments.send(logged)
		peak := pods
		for t.follower(deploymentKind).watcher.Status().Events < logged {
			peak = max(peak, residentBytes())
			runtime.Gosched()
		}
		awaitEvents(b, t, deploymentKind, logged)
		stats := t.log.Stats()
		if stats.Events != logged {
			b.Fatalf("%d changes are logged, want %d", stats.Events, logged)
		}
		b.ReportMetric(float64(pods)/1e6, "MB-with-pods")
		b.ReportMetric(float64(peak)/1e6, "MB-peak")
		b.ReportMetric(float64(stats.Bytes)/1e6, "MB-on-disk")
		b.ReportMetric(logged/b.Elapsed().Seconds(), "events/s")
	}
}

// residentBytes returns the resident memory of this process, or 0 if it is not known.
func residentBytes() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("read /proc/self/status: %v", err))
	}
	return kib << 10
}
