package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// placement adds to a pod's spec what its owners want of the nodes. Nodes with the usual labels (host name, zone,
// operating system) satisfy all of them.
type placement func(service, *corev1.PodSpec)

// overZones spreads the pods over zones as well as can be.
func overZones(s service, spec *corev1.PodSpec) {
	spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.ScheduleAnyway,
		LabelSelector: &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
	}}
}

// evenlyOverZones insists on it, within two pods, and is important enough to push others aside.
func evenlyOverZones(s service, spec *corev1.PodSpec) {
	overZones(s, spec)
	spec.TopologySpreadConstraints[0].MaxSkew = 2
	spec.TopologySpreadConstraints[0].WhenUnsatisfiable = corev1.DoNotSchedule
	spec.PriorityClassName = priorityBusiness
}

// apart keeps the pods of a database on different hosts, and in a zone.
func apart(s service, spec *corev1.PodSpec) {
	spec.PriorityClassName = priorityData
	spec.Affinity = &corev1.Affinity{
		NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
					{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpExists},
				}}},
			},
		},
		PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
				TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
			}},
		},
	}
}

// rather keeps pods on different hosts where that is possible, on machines of one architecture.
func rather(s service, spec *corev1.PodSpec) {
	spec.NodeSelector = map[string]string{corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64"}
	spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
			Weight: 50,
			PodAffinityTerm: corev1.PodAffinityTerm{
				TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
			},
		}},
	}}
}

// onlyBatch would also run on the nodes set aside for batch work, which this cluster had last year.
func onlyBatch(_ service, spec *corev1.PodSpec) {
	spec.PriorityClassName = priorityBatch
	spec.Tolerations = []corev1.Toleration{{
		Key: "dedicated", Operator: corev1.TolerationOpEqual, Value: "batch", Effect: corev1.TaintEffectNoSchedule,
	}}
}

// everywhere is for agents: whatever a node is tainted with, they run there.
func everywhere(_ service, spec *corev1.PodSpec) {
	spec.PriorityClassName = "system-node-critical"
	spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
}
