package sample

import (
	"time"

	"simkube.io/simkube/internal/results"
)

// Small returns ten minutes of two nodes and a handful of pods, small enough for golden files.
func Small() *results.Run {
	start := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	c := newCluster(1, start)
	c.now = start.Add(-10 * time.Second)
	c.addNode("node-a", "small", "zone-a", 4, 8, 0, "")
	c.addNode("node-b", "small", "zone-b", 4, 8, 0, "")
	c.runUntil(start)
	c.replayed(2, 0)
	for range 4 {
		c.create(c.named(podSpec{namespace: "web", owner: "site", kind: "Deployment", cpu: 1000, memory: 1 << 30}))
	}
	c.burst(2*time.Minute, "batch", "crunch", 5, 1500, 1)
	c.at(4*time.Minute, func() {
		c.replayed(0, 1, results.Problem{Category: "absent", Object: "v1.ConfigMap web/gone", Message: "to be deleted, but it was not there"})
	})
	end := start.Add(40 * time.Minute)
	c.runUntil(end)
	return c.rec.Run(results.Info{
		Simulation: "small",
		Trace:      results.TraceInfo{Path: "small.sktrace", Start: start, End: end, Events: c.events},
		Times:      results.TimeMap{ClockStart: start, TraceStart: start, Speed: 1},
		End:        end,
		Wall:       31 * time.Second,
		Versions:   map[string]string{"simkube": "dev", "kubernetes": "v1.36.3"},
		Settings:   map[string]string{"nodes": "2"},
	})
}

// Empty returns a run in which nothing happened.
func Empty() *results.Run {
	start := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	return results.NewRecorder().Run(results.Info{
		Simulation: "empty",
		Times:      results.TimeMap{ClockStart: start, TraceStart: start, Speed: 1},
		End:        start.Add(time.Minute),
	})
}
