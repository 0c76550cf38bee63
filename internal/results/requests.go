package results

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// amounts are quantities of what pods request and nodes have, in the units of the rows.
type amounts struct {
	cpuMillis, memoryBytes, gpus int64
}

func (a *amounts) add(b amounts) {
	a.cpuMillis += b.cpuMillis
	a.memoryBytes += b.memoryBytes
	a.gpus += b.gpus
}

func (a *amounts) sub(b amounts) {
	a.cpuMillis -= b.cpuMillis
	a.memoryBytes -= b.memoryBytes
	a.gpus -= b.gpus
}

// requestsOf returns what the scheduler counts for a pod, by the scheduler's own rule.
func requestsOf(pod *corev1.Pod) amounts {
	return amountsOf(resource.PodRequests(pod, resource.PodResourcesOptions{}))
}

// amountsOf counts every extended resource whose name ends in "gpu" (nvidia.com/gpu, amd.com/gpu,
// ...) as GPUs.
func amountsOf(list corev1.ResourceList) amounts {
	var a amounts
	for name, q := range list {
		switch {
		case name == corev1.ResourceCPU:
			a.cpuMillis = q.MilliValue()
		case name == corev1.ResourceMemory:
			a.memoryBytes = q.Value()
		case strings.HasSuffix(string(name), "/gpu"):
			a.gpus += q.Value()
		}
	}
	return a
}
