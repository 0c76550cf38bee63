package results

import corev1 "k8s.io/api/core/v1"

// Owner is what made a pod in the recorded cluster.
type Owner struct {
	// Namespace is the original one.
	Namespace string `json:"namespace"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
}

// OwnerOf returns the topmost owner that a pod itself tells of.
func OwnerOf(pod *corev1.Pod) Owner { return Owner{Kind: "Pod", Name: pod.Name} }
