package replay

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
)

// simulatedProvisioner is the provisioner of recorded volumes that are not those of a CSI driver.
const simulatedProvisioner = "provisioner.simkube.io"

// recorded is how claims and volumes are replayed on a cluster that belongs to the trace alone. It
// is nil on others.
type recorded struct {
	binding *volumes.Binding
	// hosts are the values of the label kubernetes.io/hostname of the nodes.
	hosts map[string]bool
}

func newRecorded(opts *Options) *recorded {
	if opts.Shared {
		return nil
	}
	r := &recorded{binding: volumes.NewBinding(), hosts: map[string]bool{}}
	for _, host := range opts.Hostnames {
		r.hosts[host] = true
	}
	return r
}

// omits reports whether an object is neither applied nor deleted, because the cluster does it.
func (r *recorded) omits(object *trace.Object, verb Verb) bool {
	return r != nil && r.binding.Omits(object, verb == Delete)
}

// restore sets what claims and volumes have because of other objects of the trace.
func (r *recorded) restore(key objectKey, object map[string]any) {
	switch key.kind {
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}:
		r.bind(key, object)
	case volumeKind:
		r.fixVolume(object)
	}
}

// bind binds a claim to its recorded volume, if there is one.
func (r *recorded) bind(key objectKey, object map[string]any) {
	name, class := r.binding.Claim(trace.NamespacedName(key.namespace, key.name))
	if name == "" {
		return
	}
	spec := child(object, "spec")
	spec["volumeName"] = name
	annotations := child(child(object, "metadata"), "annotations")
	if annotations[corev1.BetaStorageClassAnnotation] == nil && spec["storageClassName"] == nil {
		spec["storageClassName"] = class // else it would get the default class, and not fit the volume
	}
}

// fixVolume leaves the deletion of a volume to the provisioner of the simulation:
// kube-controller-manager would delete the folder of a volume of type hostPath from this machine.
// It also releases a local volume from a host that is not among the nodes.
func (r *recorded) fixVolume(object map[string]any) {
	spec := child(object, "spec")
	if spec["persistentVolumeReclaimPolicy"] == "Delete" {
		csi, _ := spec["csi"].(map[string]any)
		driver, _ := csi["driver"].(string)
		child(child(object, "metadata"), "annotations")[volumes.AnnotationProvisionedBy] = cmp.Or(driver, simulatedProvisioner)
	}
	recorded, ok := spec["nodeAffinity"].(map[string]any)
	if !ok {
		return
	}
	var affinity corev1.VolumeNodeAffinity
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(recorded, &affinity); err != nil {
		return // the API server rejects it with a reason
	}
	nodes, released := volumes.ReleaseHosts(affinity.Required, r.hosts)
	switch {
	case !released:
	case nodes == nil:
		delete(spec, "nodeAffinity")
	default:
		affinity.Required = nodes
		if changed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&affinity); err == nil {
			spec["nodeAffinity"] = changed
		}
	}
}
