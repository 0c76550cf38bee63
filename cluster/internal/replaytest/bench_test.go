package replaytest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/trace"
)

// BenchmarkReplayLag replays 50 objects per second for 20 seconds: 25 Deployments, of which every
// fifth is scaled, 20 ConfigMaps and 5 bare pods, which results in about 10 pods per second. It
// reports how late the last request of each event was sent, and how late it was answered. In
// "spread" one object is due every 20 ms; in "burst" 50 are due at each full second, as in a trace
// at its own speed.
func BenchmarkReplayLag(b *testing.B) {
	const objects = 1000
	b.Run("spread", func(b *testing.B) { benchmarkLag(b, objects, 1, 50) })
	b.Run("burst", func(b *testing.B) { benchmarkLag(b, objects/50, 50, 1) })
}

func benchmarkLag(b *testing.B, events, perEvent int, speed float64) {
	for b.Loop() {
		var lags, tooks []time.Duration
		s := newSim(b, replay.Options{Speed: speed, OnEvent: func(e replay.EventReport) {
			lags, tooks = append(lags, e.Lag), append(tooks, e.Done.Sub(e.Due))
		}}, nil)
		report := s.run(b, replay.Plan{Start: time.Now().Add(time.Second)}, busyEvents(b, events, perEvent)...)
		if len(report.Problems) > 0 {
			b.Fatalf("%d problems, first %+v", len(report.Problems), report.Problems[0])
		}
		for name, d := range map[string]time.Duration{
			"lag-p50-ms": quantile(lags, 0.5), "lag-p99-ms": quantile(lags, 0.99), "lag-max-ms": quantile(lags, 1),
			"done-p50-ms": quantile(tooks, 0.5), "done-p99-ms": quantile(tooks, 0.99),
		} {
			b.ReportMetric(float64(d)/float64(time.Millisecond), name)
		}
		b.ReportMetric(0, "ns/op")
	}
}

// quantile sorts the durations.
func quantile(durations []time.Duration, q float64) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return durations[min(len(durations)-1, int(q*float64(len(durations))))]
}

// busyEvents are one second apart in the trace.
func busyEvents(b *testing.B, count, perEvent int) []trace.Event {
	events := make([]trace.Event, 0, count)
	for second := range count {
		var manifests []string
		for i := range perEvent {
			n := second*perEvent + i
			switch {
			case n%2 == 0: // one of 50 Deployments, changed every 2 seconds
				manifest := deployment(fmt.Sprintf("ns%d", n%10), fmt.Sprintf("app%d", n%100), 1)
				if n%10 == 0 {
					manifest = deployment(fmt.Sprintf("ns%d", n%10), fmt.Sprintf("app%d", n%100), 1+n/100%3)
				}
				manifests = append(manifests, replaced(manifest, "  selector:", fmt.Sprintf("  progressDeadlineSeconds: %d\n  selector:", 600+n)))
			case n%10 == 1:
				manifests = append(manifests, barePod("batch", fmt.Sprintf("pod%d", n), ""))
			default:
				manifests = append(manifests, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: config%d, namespace: ns%d}, data: {n: '%d'}}", n%100, n%10, n))
			}
		}
		events = append(events, at(b, int64(second), manifests...))
	}
	return events
}
