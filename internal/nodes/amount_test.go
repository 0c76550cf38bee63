package nodes

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestFormatAmount(t *testing.T) {
	tests := []struct {
		name   corev1.ResourceName
		amount int64
		want   string
	}{
		{corev1.ResourceCPU, 0, "0 cores"},
		{corev1.ResourceCPU, 5, "0.005 cores"},
		{corev1.ResourceCPU, 1000, "1 core"},
		{corev1.ResourceCPU, 402_345, "402 cores"},
		{corev1.ResourceCPU, 12_345_678, "12,346 cores"},
		{corev1.ResourceMemory, 0, "0 B"},
		{corev1.ResourceMemory, 1 << 40, "1 TiB"},
		{corev1.ResourceMemory, 1_319_413_953_331, "1.2 TiB"},
		{corev1.ResourcePods, 1, "1 pod"},
		{corev1.ResourcePods, 312, "312 pods"},
		{corev1.ResourceEphemeralStorage, 10 << 30, "10 GiB of ephemeral-storage"},
		{"nvidia.com/gpu", 8, "8 nvidia.com/gpu"},
	}
	for _, test := range tests {
		if got := formatAmount(test.name, test.amount); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
