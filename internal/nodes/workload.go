package nodes

import "simkube.io/simkube/internal/workload"

// templateUse is a pod template with the number of its pods that run at a time.
type templateUse struct {
	template map[string]any // metadata and spec
	replicas int
	perNode  bool
	claims   bool // whether every pod gets its own persistent volume claims
	bare     bool
	// namespace is that of the pods.
	namespace string
}

func useOf(t *workload.Template) templateUse {
	return templateUse{template: t.Value, replicas: t.Replicas, perNode: t.PerNode, claims: t.Claims, bare: t.Bare}
}
