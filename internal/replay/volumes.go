package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
)

var claimKind = schema.GroupKind{Kind: "PersistentVolumeClaim"}

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
	case claimKind:
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

// bindsClaim reports whether a claim is bound to a recorded volume. The receiver may be nil.
func (r *recorded) bindsClaim(key objectKey) bool {
	if r == nil {
		return false
	}
	name, _ := r.binding.Claim(trace.NamespacedName(key.namespace, key.name))
	return name != ""
}

const (
	// boundAnnotation is on a claim that is bound.
	boundAnnotation = "pv.kubernetes.io/bind-completed"
	// triedAnnotation counts how often the controller was made to look at a claim.
	triedAnnotation = "simkube.io/bind-tries"
	// bindTime is how long a task waits at most until a claim is bound.
	bindTime = 5 * time.Second
)

// awaitBound returns an error until a claim is bound to its recorded volume, or bindTime is over.
// The controller looks at a claim when the claim changes, and otherwise every 15 seconds: if it did
// not know the volume by then, it has to look again.
func (t *task) awaitBound(ctx context.Context, at place) error {
	claim, err := t.r.target.get(ctx, at)
	switch {
	case apierrors.IsNotFound(err):
		return nil // something else has deleted it
	case err != nil:
		return err
	case claim.Annotations[boundAnnotation] != "" || t.r.opts.Clock.Since(t.first) > bindTime:
		return nil
	}
	if t.tries > 1 {
		object, err := decode(t.body)
		if err != nil {
			return &taskError{Malformed, err}
		}
		annotations := child(child(object.Object, "metadata"), "annotations")
		annotations[triedAnnotation] = strconv.Itoa(t.tries)
		body, err := json.Marshal(object.Object)
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		if _, err := t.r.target.apply(ctx, at, body); err != nil {
			return err
		}
	}
	return fmt.Errorf("the claim is not bound: %w", errPassing)
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
	case nodes == nil && spec["local"] == nil:
		delete(spec, "nodeAffinity")
	default:
		if nodes == nil {
			nodes = allHosts() // a local volume must have an affinity
		}
		affinity.Required = nodes
		if changed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&affinity); err == nil {
			spec["nodeAffinity"] = changed
		}
	}
}

// allHosts selects all nodes that have a host name.
func allHosts() *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpExists},
	}}}}
}
