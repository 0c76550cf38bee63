package replay

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestResizePatch(t *testing.T) {
	pod := func(requests, limits string) *corev1.Pod {
		list := func(cpu string) corev1.ResourceList {
			if cpu == "" {
				return nil
			}
			return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
		}
		return &corev1.Pod{Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "i"}},
			Containers:     []corev1.Container{{Name: "c", Resources: corev1.ResourceRequirements{Requests: list(requests), Limits: list(limits)}}},
		}}
	}
	for name, c := range map[string]struct {
		pod, wanted *corev1.Pod
		want        string
	}{
		"the same":           {pod("1", "2"), pod("1", "2"), ""},
		"the same, written":  {pod("1", ""), pod("1000m", ""), ""},
		"only the pod's":     {pod("1", "2"), pod("1", ""), ""},
		"requests":           {pod("1", "2"), pod("1500m", "2"), `{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1500m"}}}]}}`},
		"requests and limit": {pod("1", ""), pod("2", "2"), `{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"2"},"requests":{"cpu":"2"}}}]}}`},
		"another container":  {pod("1", ""), &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "d"}}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := resizePatch(c.pod, c.wanted)
			if err != nil || string(got) != c.want {
				t.Errorf("resizePatch() = %s, %v; want %s", got, err, c.want)
			}
		})
	}
}
