package nodes

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/volumes"
)

// The pods of a StatefulSet whose volumes are in zones need nodes there.
func TestSurvey_UseVolumes(t *testing.T) {
	const volume = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: pvc-0}, spec: {claimRef: {namespace: prod, name: data-db-0},
		nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [eu-1a]}]}]}}}}`
	const db = `{apiVersion: apps/v1, kind: StatefulSet, metadata: {namespace: prod, name: db}, spec: {replicas: 3, volumeClaimTemplates: [{metadata: {name: data}}],
		template: {spec: {containers: [{resources: {requests: {cpu: "1"}}}]}}}}`
	event := applied(object(t, db), object(t, volume))
	volumeSurvey, survey := volumes.NewSurvey(testConfig()), NewSurvey(testConfig())
	survey.UseVolumes(volumeSurvey)
	volumeSurvey.Add(&event)
	survey.Add(&event)
	plan, err := Prepare(Spec{Count: 2}, survey.Demand(nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, finding := range plan.Findings {
		got = append(got, finding.String())
	}
	const want = "apps/v1.StatefulSet prod/db: 1 pod can never be scheduled: needs node affinity to topology.kubernetes.io/zone in (eu-1a)"
	if len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("findings of nodes without the zone: got %q, want %q", got, want)
	}
	plan, err = Prepare(Spec{Count: 2, Shape: mustShape(t, "label."+corev1.LabelTopologyZone+"=eu-1a")}, survey.Demand(nil))
	if err != nil || len(plan.Findings) > 0 {
		t.Errorf("findings of nodes in the zone: got %v, %v, want none", plan.Findings, err)
	}
}
