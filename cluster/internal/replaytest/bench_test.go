package replaytest

import (
	"fmt"
	"testing"
	"time"

	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/trace"
)

// BenchmarkReplayLag replays 50 objects per second for 20 seconds, of the kinds and at the changing replicas of a
// busy cluster, and reports how late the requests were.
func BenchmarkReplayLag(b *testing.B) {
	const seconds, perSecond = 20, 50
	for b.Loop() {
		s := newSim(b, replay.Options{}, nil)
		var events []trace.Event
		for second := range int64(seconds) {
			var manifests []string
			for i := range perSecond {
				n := int(second)*perSecond + i
				switch i % 5 {
				case 0, 1, 2: // one of 100 Deployments, scaled to another number
					manifests = append(manifests, deployment(fmt.Sprintf("ns%d", n%10), fmt.Sprintf("app%d", n%100), n/100%3))
				case 3:
					manifests = append(manifests, barePod("batch", fmt.Sprintf("pod%d", n), ""))
				default:
					manifests = append(manifests, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: config%d, namespace: ns%d}, data: {n: '%d'}}", n%50, n%10, n))
				}
			}
			events = append(events, at(b, second, manifests...))
		}
		report := s.run(b, replay.Plan{Start: time.Now().Add(time.Second)}, events...)
		if len(report.Problems) > 0 {
			b.Fatalf("%d problems, first %+v", len(report.Problems), report.Problems[0])
		}
		for name, d := range map[string]time.Duration{
			"lag-p50-ms": report.Lag.P50, "lag-p99-ms": report.Lag.P99, "lag-max-ms": report.Lag.Max,
			"done-p50-ms": report.Completion.P50, "done-p99-ms": report.Completion.P99,
		} {
			b.ReportMetric(float64(d)/float64(time.Millisecond), name)
		}
		b.ReportMetric(0, "ns/op")
	}
}
