package report

import (
	"fmt"
	"strings"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// Units of values, which the page's script knows how to write as well.
const (
	unitPods    = "pods"
	unitNodes   = "nodes"
	unitMillis  = "millicores"
	unitBytes   = "bytes"
	unitGPUs    = "gpus"
	unitSeconds = "seconds"
)

func count(v float64) string { return words.Number(int(v)) }

func cores(v float64) string {
	if v == 1000 {
		return "1 core"
	}
	return results.FormatNumber(v/1000) + " cores"
}

func bytesText(v float64) string {
	switch {
	case v >= 1<<40:
		return results.FormatNumber(v/(1<<40)) + " TiB"
	case v >= 1<<30 || v == 0:
		return results.FormatNumber(v/(1<<30)) + " GiB"
	}
	return results.FormatNumber(v/(1<<20)) + " MiB"
}

func (p *pageBuilder) podsChart() chart {
	peak := p.run.Summary.Timing.Pods
	c := timeChart{whole: true, scale: 1, format: count, chart: chart{
		ID: "pods", Title: "Pods", Wide: true, Unit: unitPods, UnitName: "pods",
		Caption: fmt.Sprintf("At most %s ran at once, and at most %s waited for a node.",
			words.Number(peak.PeakRunning), words.Number(peak.PeakPending)),
		Describe: "Pods that exist over time, stacked by where they stand: running, starting, waiting for a node, succeeded and failed.",
	}}
	c.stack = []series{
		{Name: "Running", Class: "running", Key: "running"},
		{Name: "Starting", Class: "starting", Key: "starting"},
		{Name: "Waiting for a node", Class: "pending", Key: "pending"},
		{Name: "Succeeded", Class: "succeeded", Key: "succeeded"},
		{Name: "Failed", Class: "failed", Key: "failed"},
	}
	if p.run.Summary.Outcome.Pods.Created == 0 {
		c.Caption, c.Empty = "", "No pod was created."
		return c.chart
	}
	return p.draw(c)
}

func (p *pageBuilder) cpuChart() chart {
	c := timeChart{scale: 1000, format: cores, chart: chart{
		ID: "cpu", Title: "CPU", Unit: unitMillis, UnitName: "cores",
		Caption:  usageCaption(p.run.Summary.Timing.CPU, "cores"),
		Describe: "CPU requested by pods on nodes, with the demand of waiting pods on top, against what the ready nodes have.",
	}}
	c.stack = []series{
		{Name: "Requested", Class: "running", Key: "cpuRequested"},
		{Name: "Waiting for a node", Class: "pending", Key: "cpuPending"},
	}
	c.lines = []series{{Name: "Allocatable", Class: "capacity", Key: "cpuAllocatable", Line: true}}
	return p.drawUsage(c, p.run.Summary.Timing.CPU)
}

func (p *pageBuilder) memoryChart() chart {
	usage := p.run.Summary.Timing.Memory
	unit, scale := "GiB", float64(1<<30)
	if top := max(usage.PeakAllocatable, usage.PeakDemand); top >= 4096 {
		unit, scale = "TiB", 1<<40
	} else if top < 1 {
		unit, scale = "MiB", 1<<20
	}
	c := timeChart{scale: scale, format: bytesText, chart: chart{
		ID: "memory", Title: "Memory", Unit: unitBytes, UnitName: unit,
		Caption:  usageCaption(usage, "GiB"),
		Describe: "Memory requested by pods on nodes, with the demand of waiting pods on top, against what the ready nodes have.",
	}}
	c.stack = []series{
		{Name: "Requested", Class: "running", Key: "memoryRequested"},
		{Name: "Waiting for a node", Class: "pending", Key: "memoryPending"},
	}
	c.lines = []series{{Name: "Allocatable", Class: "capacity", Key: "memoryAllocatable", Line: true}}
	return p.drawUsage(c, usage)
}

func (p *pageBuilder) gpuChart() chart {
	c := timeChart{scale: 1, whole: true, format: count, chart: chart{
		ID: "gpu", Title: "GPUs", Unit: unitGPUs, UnitName: "GPUs",
		Caption:  usageCaption(p.run.Summary.Timing.GPU, "GPUs"),
		Describe: "GPUs requested by pods on nodes, with the demand of waiting pods on top, against what the ready nodes have.",
	}}
	c.stack = []series{
		{Name: "Requested", Class: "running", Key: "gpuRequested"},
		{Name: "Waiting for a node", Class: "pending", Key: "gpuPending"},
	}
	c.lines = []series{{Name: "Allocatable", Class: "capacity", Key: "gpuAllocatable", Line: true}}
	return p.drawUsage(c, p.run.Summary.Timing.GPU)
}

func (p *pageBuilder) drawUsage(c timeChart, u results.ResourceUsage) chart {
	if u.PeakAllocatable == 0 && u.PeakDemand == 0 {
		c.Caption, c.Empty = "", "No pod asked for any, and no node had any."
		return c.chart
	}
	return p.draw(c)
}

func usageCaption(u results.ResourceUsage, unit string) string {
	if u.PeakAllocatable == 0 {
		return fmt.Sprintf("At most %s %s were asked for; no node had any.", results.FormatNumber(u.PeakDemand), unit)
	}
	return fmt.Sprintf("%s of %s %s-hours were requested; %s at the peak.",
		results.FormatNumber(u.RequestedHours), results.FormatNumber(u.AllocatableHours), strings.TrimSuffix(unit, "s"), percent(u.PeakUtilization))
}

func (p *pageBuilder) nodesChart() chart {
	n := p.run.Summary.Timing.Nodes
	c := timeChart{whole: true, scale: 1, format: count, chart: chart{
		ID: "nodes", Title: "Nodes", Unit: unitNodes, UnitName: "nodes",
		Caption:  fmt.Sprintf("%s at the most, %s on average, %s node-hours.", words.Number(n.Peak), results.FormatNumber(n.Mean), results.FormatNumber(n.NodeHours)),
		Describe: "Nodes over time: all of them, and those that are ready.",
	}}
	c.stack = []series{{Name: "Ready", Class: "ready", Key: "nodesReady"}}
	c.lines = []series{{Name: "All", Class: "capacity", Key: "nodes", Line: true}}
	if n.Peak == 0 {
		c.Caption, c.Empty = "", "There was no node."
		return c.chart
	}
	return p.draw(c)
}

// percent writes a fraction.
func percent(f float64) string {
	switch {
	case f > 0 && f < 0.01:
		return "<1%"
	case f > 0 && f < 0.095:
		return fmt.Sprintf("%.1f%%", 100*f)
	}
	return fmt.Sprintf("%.0f%%", 100*f)
}
