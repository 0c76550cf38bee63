package nodes

import (
	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/internal/workload"
	"simkube.io/simkube/trace"
)

// UseVolumes has the survey take into account on which nodes the volumes of pods can be used.
// Events must be added to volumes first.
func (s *Survey) UseVolumes(volumes *volumes.Survey) { s.volumes = volumes }

// place returns the templates of an object, divided by the nodes on which the volumes of their pods
// can be used.
func (s *Survey) place(name trace.PodOwner, load *workload.Workload) []templateUse {
	var uses []templateUse
	for i := range load.Templates {
		use := useOf(&load.Templates[i])
		for _, place := range s.volumes.Place(name.GVK, name.Name, use.replicas) {
			use.replicas, use.nodes = place.Pods, place.Nodes
			uses = append(uses, use)
		}
	}
	return uses
}

// restrict restricts a pod to the nodes of a selector; nil selects all.
func restrict(spec *corev1.PodSpec, nodes *corev1.NodeSelector) {
	if nodes == nil {
		return
	}
	if spec.Affinity == nil {
		spec.Affinity = &corev1.Affinity{}
	}
	if spec.Affinity.NodeAffinity == nil {
		spec.Affinity.NodeAffinity = &corev1.NodeAffinity{}
	}
	affinity := spec.Affinity.NodeAffinity
	affinity.RequiredDuringSchedulingIgnoredDuringExecution = volumes.Both(affinity.RequiredDuringSchedulingIgnoredDuringExecution, nodes)
}
