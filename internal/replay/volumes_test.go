package replay

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/trace"
)

// On a cluster of its own, a claim is bound to its recorded volume, and volumes keep their place.
func TestBuilder_Volumes(t *testing.T) {
	const (
		claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: files}, spec: {volumeName: pvc-1}}"
		lost  = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: lost}, spec: {storageClassName: gp3, volumeName: pvc-2}}"
		disk  = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: pvc-1, annotations: {pv.kubernetes.io/provisioned-by: x}},
			spec: {csi: {driver: ebs, volumeHandle: a}, storageClassName: gp3, persistentVolumeReclaimPolicy: Delete, claimRef: {namespace: shop, name: files, uid: x},
			nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [a]}]}]}}}}`
		folder = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: folder},
			spec: {hostPath: {path: /tmp/x}, persistentVolumeReclaimPolicy: Delete,
			nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [ip-1]}]}]}}}}`
		device = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: device}, spec: {local: {path: /dev/x},
			nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [ip-1]}]}]}}}}`
		near = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: near}, spec: {persistentVolumeReclaimPolicy: Retain,
			nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node-0001]}]}]}}}}`
	)
	b := &builder{
		simulation: "sim", root: mutate.Root{Name: "r", UID: "u"}, config: &trace.Config{},
		recorded: newRecorded(&Options{Hostnames: []string{"node-0001"}}),
	}
	defined := event(t, 0, []string{claim, lost, disk, folder, near, device}, nil)
	b.define(&defined)
	want := []string{
		"spec: {volumeName: pvc-1, storageClassName: gp3}",
		"spec: {storageClassName: gp3}",
		`{annotations: {pv.kubernetes.io/provisioned-by: ebs}, spec: {csi: {driver: ebs, volumeHandle: a}, storageClassName: gp3, persistentVolumeReclaimPolicy: Delete,
			nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [a]}]}]}}}}`,
		"{annotations: {pv.kubernetes.io/provisioned-by: provisioner.simkube.io}, spec: {hostPath: {path: /tmp/x}, persistentVolumeReclaimPolicy: Delete}}",
		`spec: {persistentVolumeReclaimPolicy: Retain,
			nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node-0001]}]}]}}}`,
		`spec: {local: {path: /dev/x}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: Exists}]}]}}}`,
	}
	for i := range defined.Applied {
		body, err := b.build(&defined.Applied[i])
		if err != nil {
			t.Fatal(err)
		}
		var u unstructured.Unstructured
		if err := u.UnmarshalJSON(body); err != nil {
			t.Fatal(err)
		}
		got := map[string]any{"spec": u.Object["spec"]}
		delete(got["spec"].(map[string]any), "claimRef")
		if annotations := u.GetAnnotations(); len(annotations) > 0 {
			got["annotations"] = child(child(u.Object, "metadata"), "annotations")
		}
		var expected map[string]any
		if err := yaml.Unmarshal([]byte(want[i]), &expected); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", defined.Applied[i].Name(), diff)
		}
	}
}
