package volumes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func zone(values ...string) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: values},
	}}}}
}

func boundVolume(name, claim, key, value string) string {
	return `{apiVersion: v1, kind: PersistentVolume, metadata: {name: ` + name + `}, spec: {storageClassName: gp3, claimRef: {namespace: shop, name: ` + claim + `},
		nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: ` + key + `, operator: In, values: [` + value + `]}]}]}}}}`
}

func TestSurvey_Place(t *testing.T) {
	const zoneKey = corev1.LabelTopologyZone
	allowed := `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: gp3}, provisioner: ebs.csi.aws.com,
		allowedTopologies: [{matchLabelExpressions: [{key: topology.kubernetes.io/zone, values: [a, b]}]}]}`
	for name, c := range map[string]struct {
		objects []string
		want    []Place
	}{
		"no volumes":          {[]string{gp3, database}, []Place{{Pods: 3}}},
		"not known":           {nil, []Place{{Pods: 3}}},
		"topologies of class": {[]string{allowed, database}, []Place{{Pods: 3, Nodes: zone("a", "b")}}},
		"volumes in zones": {
			[]string{database, boundVolume("v0", "data-db-0", zoneKey, "a"), boundVolume("v1", "data-db-1", zoneKey, "b"), boundVolume("v2", "data-db-2", zoneKey, "a")},
			[]Place{{Pods: 2, Nodes: zone("a")}, {Pods: 1, Nodes: zone("b")}},
		},
		"volume and class": {
			[]string{allowed, database, boundVolume("v0", "data-db-0", zoneKey, "a")},
			[]Place{{Pods: 1, Nodes: zone("a")}, {Pods: 2, Nodes: zone("a", "b")}},
		},
		"volume of a host": {[]string{database, boundVolume("v0", "data-db-0", corev1.LabelHostname, "ip-1")}, []Place{{Pods: 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			// Volumes come first in an event, as the workloads are surveyed with the event.
			got := surveyed(t, event{applied: c.objects}).Place(statefulSet, "shop/db", 3)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReleaseHosts(t *testing.T) {
	host := func(extra ...corev1.NodeSelectorRequirement) *corev1.NodeSelector {
		requirements := append([]corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{"ip-1"}}}, extra...)
		return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: requirements}}}
	}
	inZone := zone("a").NodeSelectorTerms[0].MatchExpressions[0]
	for name, c := range map[string]struct {
		nodes    *corev1.NodeSelector
		hosts    map[string]bool
		want     *corev1.NodeSelector
		released bool
	}{
		"none":         {},
		"zone":         {nodes: zone("a"), want: zone("a")},
		"known host":   {nodes: host(), hosts: map[string]bool{"ip-1": true}, want: host()},
		"foreign host": {nodes: host(), released: true},
		"in a zone":    {nodes: host(inZone), want: zone("a"), released: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, released := ReleaseHosts(c.nodes, c.hosts)
			if diff := cmp.Diff(c.want, got); diff != "" || released != c.released {
				t.Errorf("released: got %t, want %t; nodes (-want +got):\n%s", released, c.released, diff)
			}
		})
	}
}
