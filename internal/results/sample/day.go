package sample

import (
	"fmt"
	"math"
	"strings"
	"time"

	"simkube.io/simkube/internal/packing"
	"simkube.io/simkube/internal/results"
)

// Day returns a day of a cluster with 60 Deployments that follow the sun, CronJobs, two bursts of
// batch Jobs for which it is too small until more nodes are added, a training run that requests
// GPUs, and a rollout that requests more memory than any node has. The same seed returns the same
// run.
func Day(seed uint64) *results.Run {
	start := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	c := newCluster(seed, start)
	c.now = start.Add(-10 * time.Second)
	for i := range 18 {
		c.addNode(fmt.Sprintf("general-%02d", i), "m6i.4xlarge", "zone-"+string(rune('a'+i%3)), 16, 64, 0, "")
	}
	for i := range 2 {
		c.addNode(fmt.Sprintf("gpu-%02d", i), "g5.12xlarge", "zone-a", 48, 192, 4, "gpu")
	}
	c.runUntil(start)
	c.deployments()
	c.cronJobs()
	c.burst(9*time.Hour+30*time.Minute, "analytics", "daily-report", 260, 4000, 8)
	c.burst(20*time.Hour+10*time.Minute, "analytics", "backfill", 120, 4000, 12)
	c.training()
	c.badRollout()
	for i := range 5 {
		c.at(time.Duration(3+4*i)*time.Hour, func() {
			c.replayed(1, 0)
			c.create(podSpec{
				namespace: "ops", kind: "Pod", name: fmt.Sprintf("debug-%d", i),
				cpu: 200, memory: 512 << 20, runs: 40 * time.Minute, fails: i == 3,
			})
		})
	}
	c.autoscaler()
	end := start.Add(24 * time.Hour)
	c.runUntil(end)
	return c.rec.Run(results.Info{
		Simulation: "day",
		Trace: results.TraceInfo{
			Path: "examples/day.sktrace", SHA256: strings.Repeat("5eed", 16), Start: start, End: end, Events: c.events,
		},
		Times:    results.TimeMap{ClockStart: start, TraceStart: start, Speed: 1},
		End:      end,
		Wall:     4*time.Minute + 12*time.Second,
		Versions: map[string]string{"simkube": "v0.1.0", "kubernetes": "v1.36.3", "kwok": "v0.7.0"},
		Settings: map[string]string{"nodes": "20 of m6i.4xlarge and g5.12xlarge", "time": "virtual"},
		Offers:   offers(),
	})
}

// offers are the instances of the cluster, at the prices of addNode, and smaller ones.
func offers() []packing.Offer {
	var out []packing.Offer
	for cpu := 2.0; cpu <= 16; cpu *= 2 {
		out = append(out, packing.Offer{
			Allocatable: map[string]float64{"cpu": cpu, "memory": 4 * cpu * (1 << 30), "pods": 110}, Price: pricePerCore * spotShare * cpu,
		})
	}
	return append(out, packing.Offer{
		Allocatable: map[string]float64{"cpu": 48, "memory": 192 << 30, "pods": 110, "nvidia.com/gpu": 4}, Price: pricePerCore * 48,
	})
}

var apps = []string{
	"frontend", "checkout", "cart", "catalog", "search", "payments", "accounts", "orders", "shipping", "pricing",
	"recommend", "reviews", "media", "notify", "gateway",
}

func (c *cluster) deployments() {
	namespaces := []string{"shop", "platform", "data", "mobile"}
	for i := range 60 {
		ns, app := namespaces[i/len(apps)], apps[i%len(apps)]
		base := 2 + c.rand.IntN(7)
		spec := podSpec{
			namespace: ns, owner: app, kind: "Deployment",
			cpu: int64(250 * (1 + c.rand.IntN(4))), memory: int64(512<<20) * int64(1+c.rand.IntN(6)),
		}
		if i%9 == 0 {
			spec.priority = "critical"
		}
		swing := 0.25 + 0.5*c.rand.Float64()
		var live []*pod
		scale := func(want int) {
			change := want - len(live)
			if change == 0 {
				return
			}
			c.replayed(1, 0)
			for range max(change, 0) {
				live = append(live, c.create(c.named(spec)))
			}
			for range max(-change, 0) {
				c.remove(live[0])
				live = live[1:]
			}
		}
		offset := time.Duration(c.rand.IntN(600)) * time.Second
		for t := time.Duration(0); t < 24*time.Hour; t += 10 * time.Minute {
			at := t
			if t > 0 {
				at += offset
			}
			hour := (t + offset).Hours()
			sun := math.Sin((hour - 8) / 24 * 2 * math.Pi)
			c.at(at+5*time.Second, func() { scale(int(math.Round(float64(base) * (1 + swing*sun)))) })
		}
		if i%7 == 3 { // a rollout: every pod is replaced
			c.at(time.Duration(10+c.rand.IntN(8))*time.Hour, func() {
				c.replayed(1, 0)
				for j, old := range live {
					c.after(time.Duration(j*4)*time.Second, func() { c.remove(old) })
					live[j] = c.create(c.named(spec))
				}
			})
		}
	}
}

// named returns a pod with a name like those of controllers.
func (c *cluster) named(spec podSpec) podSpec {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	suffix := make([]byte, 5)
	for i := range suffix {
		suffix[i] = letters[c.rand.IntN(len(letters))]
	}
	spec.name = spec.owner + "-" + string(suffix)
	if spec.kind == "Deployment" {
		spec.name = spec.owner + "-5d8f7c-" + string(suffix)
	}
	return spec
}

func (c *cluster) cronJobs() {
	for i, every := range []time.Duration{15, 15, 30, 30, 30, 60, 60, 60, 120, 180, 240, 360} {
		spec := podSpec{
			namespace: "data", owner: fmt.Sprintf("sync-%s", apps[i]), kind: "CronJob",
			cpu: int64(500 * (1 + i%4)), memory: 1 << 30,
		}
		for t := every * time.Minute; t < 24*time.Hour; t += every * time.Minute {
			c.at(t, func() {
				spec := c.named(spec)
				spec.runs = c.latency(4 * time.Minute)
				spec.fails = c.rand.IntN(25) == 0
				c.create(spec)
			})
		}
	}
}

func (c *cluster) burst(at time.Duration, namespace, name string, pods int, cpu, memoryGiB int64) {
	c.at(at, func() {
		c.replayed(1, 0)
		for i := range pods {
			c.after(time.Duration(i)*400*time.Millisecond, func() {
				spec := c.named(podSpec{
					namespace: namespace, owner: name, kind: "Job", cpu: cpu, memory: memoryGiB << 30,
				})
				spec.runs = c.latency(14 * time.Minute)
				c.create(spec)
			})
		}
	})
}

func (c *cluster) training() {
	c.at(13*time.Hour, func() {
		c.replayed(1, 0)
		for range 11 {
			spec := c.named(podSpec{
				namespace: "ml", owner: "train-ranker", kind: "Job", cpu: 8000, memory: 32 << 30, gpus: 1, toleration: "gpu",
			})
			spec.runs = 50*time.Minute + c.latency(10*time.Minute)
			c.create(spec)
		}
	})
}

// badRollout requests more than any node has, and is undone after a while but for one pod.
func (c *cluster) badRollout() {
	c.at(15*time.Hour+20*time.Minute, func() {
		c.replayed(1, 0, results.Problem{
			Category: "rejected", Object: "v1.ConfigMap shop/feature-flags", Message: "metadata.annotations: Too long: may not be more than 262144 bytes",
		})
		for i := range 6 {
			p := c.create(c.named(podSpec{
				namespace: "shop", owner: "image-resizer", kind: "Deployment", cpu: 2000, memory: 256 << 30,
			}))
			if i > 0 {
				c.after(95*time.Minute, func() { c.remove(p) })
			}
		}
	})
	c.at(17*time.Hour, func() {
		c.replayed(0, 2, results.Problem{
			Category: "absent", Object: "batch/v1.Job data/import-9", Message: "to be deleted, but it was not there",
		})
	})
}

// autoscaler adds nodes two minutes after pods could not be placed, and removes idle ones.
func (c *cluster) autoscaler() {
	next := 0
	for t := time.Minute; t < 24*time.Hour; t += time.Minute {
		c.at(t, func() {
			waiting := 0
			for _, p := range c.waiting {
				if p.spec.gpus == 0 && p.spec.memory <= 64<<30 {
					waiting++
				}
			}
			if waiting > 0 && !c.scaleUp && len(c.nodes) < 44 {
				c.scaleUp = true
				c.after(2*time.Minute, func() {
					c.scaleUp = false
					for range min(8, 1+waiting/4) {
						name, zone := fmt.Sprintf("%s%03d", surgePrefix, next), "zone-"+string(rune('a'+next%3))
						c.addNode(name, "m6i.4xlarge", zone, 16, 64, 0, "")
						c.rec.Decided(results.Decision{
							Time: c.now, Kind: results.Launched, Reason: "Provisioned", Nodes: []string{name}, NodePool: "surge",
							InstanceType: "m6i.4xlarge", CapacityType: "spot", Zone: zone, PricePerHour: pricePerCore * spotShare * 16,
							Alternatives: []string{"m6i.8xlarge", "m6i.12xlarge"},
						})
						next++
					}
				})
			}
			if waiting == 0 && int(t.Minutes())%20 == 0 {
				c.removeIdle(surgePrefix)
			}
		})
	}
}
