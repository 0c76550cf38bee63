package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// placement adds the scheduling constraints of a service to a pod's spec. Nodes with the usual
// labels (host name, zone, operating system) satisfy all of them.
type placement func(service, *corev1.PodSpec)

// spreadOverZones spreads the pods over zones if possible.
func spreadOverZones(s service, spec *corev1.PodSpec) {
	spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.ScheduleAnyway,
		LabelSelector: &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
	}}
}

// requireZoneSpread requires an even spread over zones, with a skew of at most two pods, and has a
// priority that preempts other pods.
func requireZoneSpread(s service, spec *corev1.PodSpec) {
	spreadOverZones(s, spec)
	spec.TopologySpreadConstraints[0].MaxSkew = 2
	spec.TopologySpreadConstraints[0].WhenUnsatisfiable = corev1.DoNotSchedule
	spec.PriorityClassName = priorityBusiness
}

// requireApart requires different hosts for the pods of a database, and spreads them over zones.
func requireApart(s service, spec *corev1.PodSpec) {
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

// preferApart prefers different hosts for the pods, and requires an architecture.
func preferApart(s service, spec *corev1.PodSpec) {
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

// tolerateBatch tolerates the taint of dedicated batch nodes, which this cluster no longer has.
func tolerateBatch(_ service, spec *corev1.PodSpec) {
	spec.PriorityClassName = priorityBatch
	spec.Tolerations = []corev1.Toleration{{
		Key: "dedicated", Operator: corev1.TolerationOpEqual, Value: "batch", Effect: corev1.TaintEffectNoSchedule,
	}}
}

// tolerateAll is for agents: they run on every node, regardless of its taints.
func tolerateAll(_ service, spec *corev1.PodSpec) {
	spec.PriorityClassName = "system-node-critical"
	spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
}
