package tracer

import (
	"io"
	"testing"
	"time"

	simkubev1 "simkube.io/simkube/api/v1"
)

// BenchmarkExport measures an export of a million events: alone, while events arrive at 50,000 a
// second, and while they arrive as fast as they are processed. It also measures the effect of the
// export on the processing. An iteration is one export of each: -benchtime 1x.
func BenchmarkExport(b *testing.B) {
	const logged = 1_000_000
	// With so many objects none changes twice in a second, of which a trace would have only the last
	// change.
	const objects = 130_000
	var frames [][]byte
	for revision := range 2 {
		for object := range objects {
			frames = append(frames, deploymentFrame(object, revision+1))
		}
	}
	server := serveStreams(b, cycle(frames), noFrames)
	t := benchTracer(b, server, lifecycles(deploymentKind))
	sent := int64(0)
	send := func(n int) {
		server.deployments.send(n)
		sent += int64(n)
	}
	received := func() int64 { return t.follower(deploymentKind).watcher.Status().Events }
	start := time.Now()
	send(logged)
	awaitEvents(b, t, deploymentKind, sent)
	end := time.Now()
	time.Sleep(time.Second) // the window ends at a whole second
	export := func() (bytes int64, took time.Duration) {
		began := time.Now()
		out := &countingWriter{w: io.Discard}
		summary, err := t.Export(b.Context(), simkubev1.ExportRequest{StartTS: start.Unix(), EndTS: end.Unix() + 1, ExportPath: "x"}, out)
		if err != nil {
			b.Fatal(err)
		}
		if summary.Objects < logged*9/10 {
			b.Fatalf("%d changes were exported of %d", summary.Objects, logged)
		}
		return out.n, time.Since(began)
	}
	mbPerSecond := func(bytes int64, took time.Duration) float64 { return float64(bytes) / 1e6 / took.Seconds() }
	for b.Loop() {
		bytes, alone := export()
		b.ReportMetric(float64(bytes)/1e6, "MB")
		b.ReportMetric(mbPerSecond(bytes, alone), "MB/s-alone")

		for _, pace := range []struct {
			name   string
			perSec int
		}{{"50k", 50_000}, {"full", 0}} {
			// ingest sends events for a time, and returns the number processed per second.
			ingest := func(stop <-chan struct{}) float64 {
				began, before := time.Now(), received()
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-stop:
						took := time.Since(began)
						n := received() - before
						awaitEvents(b, t, deploymentKind, sent)
						return float64(n) / took.Seconds()
					case <-tick.C:
						switch {
						case pace.perSec > 0:
							if due := int64(float64(pace.perSec)*time.Since(began).Seconds()) + before; due > sent {
								send(int(due - sent))
							}
						case sent-received() < 50_000:
							send(50_000)
						}
					}
				}
			}
			quiet := make(chan struct{})
			time.AfterFunc(alone, func() { close(quiet) })
			before := ingest(quiet)
			stop := make(chan struct{})
			rate := make(chan float64)
			go func() { rate <- ingest(stop) }()
			bytes, took := export()
			close(stop)
			during := <-rate
			b.ReportMetric(mbPerSecond(bytes, took), "MB/s-while-"+pace.name)
			b.ReportMetric(before, "events/s-"+pace.name)
			b.ReportMetric(100*during/before, "%-ingest-"+pace.name)
		}
	}
}
