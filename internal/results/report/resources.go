package report

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/results"
)

// resourceCharts draws what pods requested and nodes had of each resource that is shown.
func resourceCharts(p *pageBuilder) []chart {
	var out []chart
	for i, name := range p.run.Summary.Timing.ShownResources() {
		out = append(out, p.resourceChart(fmt.Sprintf("resource-%d", i), name)...)
	}
	return out
}

func (p *pageBuilder) resourceChart(id, name string) []chart {
	usage := p.run.Summary.Timing.Usage(name)
	unit := results.UnitOf(name)
	title := resourceTitle(name)
	c := timeChart{scale: unit.Size, chart: chart{
		ID: id, Title: title, unit: counted(), UnitName: unit.Name,
		Caption: usageCaption(usage, unit),
		Describe: fmt.Sprintf(
			"%s requested by pods on nodes, with the demand of waiting pods on top, against what the ready nodes have.", title),
	}}
	switch {
	case name == string(corev1.ResourceCPU):
		c.ID, c.unit = "cpu", millicores()
	case results.IsBytes(name):
		c.unit = inBytes()
		c.UnitName, c.scale = bytesAxis(usage)
		if name == string(corev1.ResourceMemory) {
			c.ID = "memory"
		}
	case name == results.AllGPUs:
		c.ID = "gpu"
	}
	c.stack = []series{
		{Name: "Requested", Class: "running", value: func(r *results.TimelineRow) float64 { return float64(r.Amounts(name).Requested) }},
		{Name: "Waiting for a node", Class: "pending", value: func(r *results.TimelineRow) float64 { return float64(r.Amounts(name).Pending) }},
	}
	c.lines = []series{{
		Name: "Allocatable", Class: "capacity", Line: true,
		value: func(r *results.TimelineRow) float64 { return float64(r.Amounts(name).Allocatable) },
	}}
	if usage.PeakAllocatable == 0 && usage.PeakDemand == 0 {
		return c.empty("No pod requested any, and no node had any.")
	}
	return p.draw(c)
}

// resourceTitle returns the name of a resource for people.
func resourceTitle(name string) string {
	switch name {
	case string(corev1.ResourceCPU):
		return "CPU"
	case string(corev1.ResourceMemory):
		return "Memory"
	case results.AllGPUs:
		return "GPUs"
	}
	return name
}

// bytesAxis returns the unit of an axis of bytes, for usage in GiB.
func bytesAxis(usage results.ResourceUsage) (unit string, scale float64) {
	switch top := max(usage.PeakAllocatable, usage.PeakDemand); {
	case top >= 4096:
		return "TiB", 1 << 40
	case top < 1:
		return "MiB", 1 << 20
	}
	return "GiB", 1 << 30
}

func usageCaption(u results.ResourceUsage, unit results.ResourceUnit) string {
	if u.PeakAllocatable == 0 {
		return fmt.Sprintf("At most %s %s were requested; no node had any.", results.FormatNumber(u.PeakDemand), unit.Name)
	}
	return fmt.Sprintf("%s of %s %s were requested; %s at the peak.",
		results.FormatNumber(u.RequestedHours), results.FormatNumber(u.AllocatableHours), unit.Hours(),
		results.FormatPercent(u.PeakUtilization))
}
