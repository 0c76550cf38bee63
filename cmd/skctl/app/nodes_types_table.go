package app

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/instancetypes"
)

// writeInstanceTypes prints a table with a row for each type.
func writeInstanceTypes(w io.Writer, list *instancetypes.List, wide bool) error {
	head := []string{"NAME", "ARCH", "CPU", "MEMORY", "GPUS", "PRICE", "SPOT", "PER-CPU", "ZONES"}
	if wide {
		head = append(head, "OS", "PODS", "STORAGE", "ALLOCATABLE-CPU", "ALLOCATABLE-MEMORY", "STARTUP", "RESOURCES", "ZONE-NAMES")
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, tableRow(head...))
	for i := range list.Types {
		fmt.Fprintln(table, tableRow(instanceTypeRow(&list.Types[i], wide)...))
	}
	return table.Flush()
}

func instanceTypeRow(t *instancetypes.Type, wide bool) []string {
	gpus := "-"
	if n := t.GPUs(); n > 0 {
		gpus = fmt.Sprint(n)
	}
	zones := t.Zones()
	cells := []string{
		t.Name, t.Architecture, amountOf(t, corev1.ResourceCPU), amountOf(t, corev1.ResourceMemory), gpus,
		shownPrice(t.Price(instancetypes.OnDemand)), shownPrice(t.Price(instancetypes.Spot)), shownPrice(t.PerCPU(t.Lowest())), fmt.Sprint(len(zones)),
	}
	if wide {
		cpu, memory := t.Allocatable(corev1.ResourceCPU), t.Allocatable(corev1.ResourceMemory)
		cells = append(cells, t.OperatingSystem, amountOf(t, corev1.ResourcePods), amountOf(t, corev1.ResourceEphemeralStorage),
			cpu.String(), memory.String(), shownStartup(t.Startup), otherResources(t), strings.Join(zones, ","))
	}
	return cells
}

func amountOf(t *instancetypes.Type, name corev1.ResourceName) string {
	q, ok := t.Capacity[name]
	if !ok {
		return "-"
	}
	return q.String()
}

// shownPrice returns a price with four decimals, or a dash if there is none.
func shownPrice(price float64) string {
	if math.IsNaN(price) {
		return "-"
	}
	return fmt.Sprintf("%.4f", price)
}

func shownStartup(s instancetypes.Startup) string {
	switch {
	case s.Median == 0:
		return "-"
	case s.P99 == 0:
		return s.Median.String()
	}
	return s.Median.String() + "/" + s.P99.String()
}

// otherResources returns the resources that have no column of their own.
func otherResources(t *instancetypes.Type) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(t.Capacity)) {
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods, corev1.ResourceEphemeralStorage:
			continue
		}
		out = append(out, string(name)+"="+amountOf(t, name))
	}
	return dash(strings.Join(out, ","))
}
