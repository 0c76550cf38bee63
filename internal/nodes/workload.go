package nodes

import (
	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/workload"
)

// templateUse is a pod template with the number of its pods that run at a time.
type templateUse struct {
	template map[string]any // metadata and spec
	replicas int
	perNode  bool
	bare     bool
	// namespace is that of the pods.
	namespace string
	nodes     *corev1.NodeSelector // on which the volumes of the pods can be used; nil means all
	attached  amounts              // see podTemplate
}

func useOf(t *workload.Template) templateUse {
	return templateUse{template: t.Value, replicas: t.Replicas, perNode: t.PerNode, bare: t.Bare}
}
