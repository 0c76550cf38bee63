package nodes

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/internal/workload"
	"simkube.io/simkube/trace"
)

// volumePrefix is the prefix of the names by which volumes of a driver are counted like resources.
const volumePrefix = "volumes-of/"

// UseVolumes has the survey take into account on which nodes the volumes of pods can be used.
// Events must be added to volumes first.
func (s *Survey) UseVolumes(volumes *volumes.Survey) { s.volumes = volumes }

// place returns the templates of an object, divided by the nodes on which the volumes of their pods
// can be used.
func (s *Survey) place(name trace.PodOwner, load *workload.Workload) []templateUse {
	var uses []templateUse
	for i := range load.Templates {
		use := useOf(&load.Templates[i])
		for driver, count := range s.volumes.Attached(name.GVK, name.Name, use.replicas) {
			if use.attached == nil {
				use.attached = amounts{}
			}
			use.attached[corev1.ResourceName(volumePrefix+driver)] = int64(count)
		}
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

// withVolumes returns the demand without the volumes of drivers that no node limits.
func (d *Demand) withVolumes() *Demand {
	limits := d.volumes.Limits()
	out := *d
	out.templates = slices.Clone(d.templates)
	for i, template := range d.templates {
		if len(template.attached) == 0 {
			continue
		}
		limited := *template
		limited.attached = maps.Clone(template.attached)
		maps.DeleteFunc(limited.attached, func(name corev1.ResourceName, _ int64) bool {
			_, ok := limits[strings.TrimPrefix(string(name), volumePrefix)]
			return !ok
		})
		out.templates[i] = &limited
	}
	return &out
}

// limitVolumes adds to the size of a node how many volumes of each driver it takes.
func (d *Demand) limitVolumes(size amounts, node string) {
	limits, recorded := d.volumes.LimitsOf(node)
	if !recorded {
		limits = d.volumes.Limits()
	}
	for driver, limit := range limits {
		size[corev1.ResourceName(volumePrefix+driver)] = int64(limit)
	}
}
