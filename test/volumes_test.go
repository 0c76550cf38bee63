package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/results"
)

// boundVolume returns a volume and its claim as they are recorded when they are bound.
func boundVolume(name, class, where string) []string {
	return []string{
		fmt.Sprintf(`{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pvc-%[1]s", "annotations": {
			"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}}, "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "10Gi"},
			"claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": %[1]q, "namespace": "shop", "uid": "0b7f6c0e-0000-4000-8000-000000000001"},
			"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-%[1]s"}, "nodeAffinity": {"required": {"nodeSelectorTerms": [
			{"matchExpressions": [%[3]s]}]}}, "persistentVolumeReclaimPolicy": "Delete", "storageClassName": %[2]q}}`, name, class, where),
		fmt.Sprintf(`{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": %[1]q, "namespace": "shop", "annotations": {
			"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}}, "spec": {"accessModes": ["ReadWriteOnce"],
			"resources": {"requests": {"storage": "10Gi"}}, "storageClassName": %[2]q, "volumeName": "pvc-%[1]s"}}`, name, class),
	}
}

// Volumes that were bound when they were recorded are bound in the replay. Under auto there are
// nodes in their zones, and the pods run there. What tied a volume to a recorded host does not.
func TestSimulate_RecordedVolumes(t *testing.T) {
	t.Parallel()
	const zone = `{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["%s"]}`
	const host = `{"key": "kubernetes.io/hostname", "operator": "In", "values": ["ip-10-0-0-7"]}`
	objects := []string{
		`{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gp3"}, "provisioner": "ebs.csi.aws.com",
			"volumeBindingMode": "WaitForFirstConsumer", "reclaimPolicy": "Delete"}`,
		`{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop"}, "spec": {"replicas": 3, "serviceName": "db",
			"podManagementPolicy": "Parallel", "selector": {"matchLabels": {"app": "db"}}, "template": {"metadata": {"labels": {"app": "db"}},
			"spec": {"containers": [{"name": "c", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}},
			"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gp3",
			"resources": {"requests": {"storage": "10Gi"}}}}]}}`,
	}
	objects = append(objects, boundVolume("data-db-0", "gp3", fmt.Sprintf(zone, "eu-west-1a"))...)
	objects = append(objects, boundVolume("data-db-1", "gp3", fmt.Sprintf(zone, "eu-west-1b"))...)
	objects = append(objects, boundVolume("data-db-2", "gp3", host)...)
	text := fmt.Sprintf(`{"events": [{"ts": %d, "applied_objs": [%s], "deleted_objs": []}, {"ts": %d, "applied_objs": [], "deleted_objs": []}]}`,
		traceStart, strings.Join(objects, ","), traceStart+60)
	for name, clock := range clocks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			if err := os.WriteFile(filepath.Join(s.dir, "t.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s.skctl("trace", "from-json", "t.json", "-o", "t.sktrace").check(t, done)
			r := s.skctl(append([]string{"simulate", "t.sktrace", "-o", "out", "--strict"}, clock...)...)
			r.check(t, done)
			wants(t, "standard error", r.stderr, "eu-west-1a", "eu-west-1b")
			run, err := results.Read(filepath.Join(s.dir, "out"))
			if err != nil {
				t.Fatal(err)
			}
			nodes := map[string]string{}
			for _, pod := range run.Pods {
				nodes[pod.Name] = pod.Node
				if pod.Running.IsZero() {
					t.Errorf("pod %s never ran: %s", pod.Name, pod.LastWaitReason)
				}
				// The controller of claims looks again after 15 seconds of the clock if it has to.
				if limit := 5 * run.Summary.Run.Speed; pod.PendingSeconds > limit {
					t.Errorf("pod %s waited %.1f s for its volume, want at most %.0f s", pod.Name, pod.PendingSeconds, limit)
				}
			}
			if len(nodes) != 3 || nodes["db-0"] == nodes["db-1"] {
				t.Errorf("nodes of the pods: %v, want two zones", nodes)
			}
		})
	}
}
