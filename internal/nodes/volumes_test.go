package nodes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
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

// A node takes as many volumes of a driver as the CSINodes of the trace say.
func TestSurvey_UseVolumes_Limits(t *testing.T) {
	const class = `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: %s}, provisioner: %s}`
	const csiNode = `{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: recorded}, spec: {drivers: [
		{name: ebs.csi.aws.com, nodeID: i-1, topologyKeys: [], allocatable: {count: 4}}, {name: nfs.csi.k8s.io, nodeID: i-1, topologyKeys: []}]}}`
	const set = `{apiVersion: apps/v1, kind: StatefulSet, metadata: {namespace: prod, name: db}, spec: {replicas: 10,
		volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: %s}}, {metadata: {name: log}, spec: {storageClassName: %[1]s}}],
		template: {spec: {containers: [{resources: {requests: {cpu: 100m}}}]}}}}`
	const bare = `{apiVersion: v1, kind: Pod, metadata: {namespace: prod, name: p%d}, spec: {containers: [{}],
		volumes: [{name: data, persistentVolumeClaim: {claimName: c%[1]d}}]}}`
	const claim = `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: prod, name: c%d}, spec: {storageClassName: ebs}}`
	classes := []trace.Object{
		object(t, fmt.Sprintf(class, "ebs", "ebs.csi.aws.com")), object(t, fmt.Sprintf(class, "old", "kubernetes.io/aws-ebs")),
		object(t, fmt.Sprintf(class, "nfs", "nfs.csi.k8s.io")),
	}
	var pods []trace.Object
	for i := range 9 {
		pods = append(pods, object(t, fmt.Sprintf(claim, i)), object(t, fmt.Sprintf(bare, i)))
	}
	sets := func(class string) []trace.Object { return []trace.Object{object(t, fmt.Sprintf(set, class))} }
	for name, c := range map[string]struct {
		objects []trace.Object
		limits  bool
		want    int
		why     string
	}{
		"two volumes each":         {sets("ebs"), true, 6, "20 volumes of ebs.csi.aws.com; limited by the volumes of ebs.csi.aws.com that a node takes"},
		"of a replaced driver":     {sets("old"), true, 6, "20 volumes of ebs.csi.aws.com; limited by the volumes of ebs.csi.aws.com that a node takes"},
		"of a driver without them": {sets("nfs"), true, 2, "limited by pods"},
		"no CSINodes":              {sets("ebs"), false, 2, "limited by pods"},
		"bare pods":                {pods, true, 4, "9 volumes of ebs.csi.aws.com; limited by the volumes of ebs.csi.aws.com that a node takes"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := slices.Concat(classes, c.objects)
			if c.limits {
				objects = append(objects, object(t, csiNode))
			}
			event := applied(objects...)
			volumeSurvey, survey := volumes.NewSurvey(testConfig()), NewSurvey(testConfig())
			survey.UseVolumes(volumeSurvey)
			volumeSurvey.Add(&event)
			survey.Add(&event)
			plan, err := Prepare(Spec{}, survey.Demand(nil))
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Nodes) != c.want || !strings.Contains(plan.Summary, c.why) {
				t.Errorf("got %d nodes, %s; want %d, %s", len(plan.Nodes), plan.Summary, c.want, c.why)
			}
			for _, node := range plan.Nodes {
				for resource := range node.Status.Allocatable {
					if strings.HasPrefix(string(resource), volumePrefix) {
						t.Errorf("node %s has %s", node.Name, resource)
					}
				}
			}
		})
	}
}
