package results

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestRequestsOf(t *testing.T) {
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
		"nothing": {corev1.PodSpec{Containers: []corev1.Container{{}}}, amounts{}},
		"sum":     {corev1.PodSpec{Containers: []corev1.Container{container("500m", "1Gi"), container("1", "2Gi")}}, amounts{1500, 3 * gi, 0}},
		"larger init container": {
			corev1.PodSpec{
				InitContainers: []corev1.Container{container("2", "512Mi")},
				Containers:     []corev1.Container{container("1", "1Gi")},
			},
			amounts{2000, gi, 0},
		},
		"sidecar": {
			corev1.PodSpec{InitContainers: []corev1.Container{sidecar}, Containers: []corev1.Container{container("1", "1Gi")}},
			amounts{1250, 2 * gi, 0},
		},
		"overhead": {
			corev1.PodSpec{Containers: []corev1.Container{container("1", "1Gi")}, Overhead: resources("100m", "1Gi")},
			amounts{1100, 2 * gi, 0},
		},
		"gpus": {corev1.PodSpec{Containers: []corev1.Container{gpu}}, amounts{1000, gi, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := requestsOf(&corev1.Pod{Spec: c.spec}); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
