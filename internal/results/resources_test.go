package results

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestResourceTable_RequestsOf(t *testing.T) {
	container := func(cpu, memory string) corev1.Container {
		return corev1.Container{Resources: corev1.ResourceRequirements{Requests: resources(cpu, memory)}}
	}
	sidecar := container("250m", "1Gi")
	sidecar.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	gpu := container("1", "1Gi")
	gpu.Resources.Requests["nvidia.com/gpu"] = resource.MustParse("2")

	const gi = 1 << 30
	for name, c := range map[string]struct {
		spec corev1.PodSpec
		want amounts
	}{
		"nothing": {corev1.PodSpec{Containers: []corev1.Container{{}}}, amounts{0, 0, 1, 0}},
		"sum":     {corev1.PodSpec{Containers: []corev1.Container{container("500m", "1Gi"), container("1", "2Gi")}}, amounts{1500, 3 * gi, 1, 0}},
		"larger init container": {
			corev1.PodSpec{
				InitContainers: []corev1.Container{container("2", "512Mi")},
				Containers:     []corev1.Container{container("1", "1Gi")},
			},
			amounts{2000, gi, 1, 0},
		},
		"sidecar": {
			corev1.PodSpec{InitContainers: []corev1.Container{sidecar}, Containers: []corev1.Container{container("1", "1Gi")}},
			amounts{1250, 2 * gi, 1, 0},
		},
		"overhead": {
			corev1.PodSpec{Containers: []corev1.Container{container("1", "1Gi")}, Overhead: resources("100m", "1Gi")},
			amounts{1100, 2 * gi, 1, 0},
		},
		"gpus": {corev1.PodSpec{Containers: []corev1.Container{gpu}}, amounts{1000, gi, 1, 2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			table := newResourceTable()
			if got := table.requestsOf(&corev1.Pod{Spec: c.spec}); !slices.Equal(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// with adds resources to a list.
func with(list corev1.ResourceList, more map[string]string) corev1.ResourceList {
	for name, quantity := range more {
		list[corev1.ResourceName(name)] = resource.MustParse(quantity)
	}
	return list
}

// Resources other than CPU and memory are in the rows and in the summary by their names, and GPUs
// of all makers also together.
func TestRun_Resources(t *testing.T) {
	rec := NewRecorder()
	rec.NodeChanged(at(-10), testNode("n1", func(n *corev1.Node) {
		with(n.Status.Allocatable, map[string]string{
			"nvidia.com/gpu": "4", "amd.com/gpu": "2", "ephemeral-storage": "100Gi", "hugepages-2Mi": "0",
		})
	}))
	asks := func(more map[string]string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) { with(pod.Spec.Containers[0].Resources.Requests, more) }
	}
	gpu := asks(map[string]string{"nvidia.com/gpu": "3", "ephemeral-storage": "10Gi"})
	rec.PodChanged(at(0), testPod("p1", gpu))
	rec.PodChanged(at(0), testPod("p1", gpu, onNode("n1")))
	rec.PodChanged(at(0), testPod("p2", asks(map[string]string{"amd.com/gpu": "1"}), onNode("n1")))
	rec.PodChanged(at(0), testPod("p3", gpu))
	rec.PodChanged(at(0), testPod("p4", asks(map[string]string{"example.com/license": "5"})))
	run := rec.Run(info(3600))

	const gi = 1 << 30
	last := run.Timeline[len(run.Timeline)-1]
	wantTimeline := []TimelineResource{
		{"pods", 2, 2, 110},
		{"amd.com/gpu", 1, 0, 2},
		{"ephemeral-storage", 10 * gi, 10 * gi, 100 * gi},
		{"example.com/license", 0, 5, 0},
		{"nvidia.com/gpu", 3, 3, 4},
	}
	if diff := cmp.Diff(wantTimeline, last.Resources); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	for name, want := range map[string]TimelineResource{
		"cpu":             {"cpu", 2000, 2000, 4000},
		"memory":          {"memory", 2 * gi, 2 * gi, 8 * gi},
		AllGPUs:           {AllGPUs, 4, 3, 6},
		"nvidia.com/gpu":  {"nvidia.com/gpu", 3, 3, 4},
		"example.com/foo": {"example.com/foo", 0, 0, 0},
	} {
		if got := last.Amounts(name); got != want {
			t.Errorf("amounts of %s: got %v, want %v", name, got, want)
		}
	}
	node := run.Nodes[len(run.Nodes)-1]
	wantNode := []NodeResource{{"amd.com/gpu", 1, 2}, {"ephemeral-storage", 10 * gi, 100 * gi}, {"nvidia.com/gpu", 3, 4}}
	if diff := cmp.Diff(wantNode, node.Resources); diff != "" || node.Pods != 2 || node.PodsAllocatable != 110 {
		t.Errorf("node with %d of %d pods (-want +got):\n%s", node.Pods, node.PodsAllocatable, diff)
	}
	wantPod := []PodResource{{"ephemeral-storage", 10 * gi}, {"nvidia.com/gpu", 3}}
	if diff := cmp.Diff(wantPod, run.Pods[0].Resources); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	timing := run.Summary.Timing
	wantStorage := ResourceUsage{
		AllocatableHours: 100, RequestedHours: 10, MeanUtilization: 0.1, PeakUtilization: 0.1,
		PeakAllocatable: 100, PeakRequested: 10, PeakDemand: 20,
	}
	if diff := cmp.Diff(wantStorage, timing.Resources["ephemeral-storage"]); diff != "" {
		t.Errorf("ephemeral-storage (-want +got):\n%s", diff)
	}
	wantNames := []string{"cpu", "memory", "pods", "amd.com/gpu", "ephemeral-storage", "example.com/license", "nvidia.com/gpu"}
	if diff := cmp.Diff(wantNames, slices.SortedFunc(maps.Keys(timing.Resources), CompareResources)); diff != "" {
		t.Errorf("resources of the summary (-want +got):\n%s", diff)
	}
	if timing.Resources["cpu"] != timing.CPU || timing.GPU.PeakDemand != 7 || timing.GPU.PeakAllocatable != 6 {
		t.Errorf("CPU %+v, GPUs %+v", timing.CPU, timing.GPU)
	}
	if owner := run.Summary.Outcome.ByOwner[0]; owner.Resources["nvidia.com/gpu"] != 3 || owner.Resources["pods"] != 0 {
		t.Errorf("owner %+v", owner)
	}
}
