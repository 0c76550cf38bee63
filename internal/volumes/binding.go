package volumes

import (
	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/trace"
)

// AnnotationProvisionedBy names the provisioner of a volume. kube-controller-manager leaves such a
// volume to its provisioner when it is released.
const AnnotationProvisionedBy = "pv.kubernetes.io/provisioned-by"

// Binding decides which recorded claims and volumes belong together, on a cluster that belongs to
// the trace alone and provisions volumes.
//
// A claim is bound to its recorded volume if that is in the trace when the claim first is: it
// existed before the recording began, or was created by hand. Otherwise the claim gets a volume
// when the replay needs it, and the volume that was provisioned for it in the recorded cluster is
// omitted, since a claim can't be bound to two.
type Binding struct {
	events int
	// volumes are the existing volumes of the trace.
	volumes map[string]*recordedVolume
	// claims are the existing claims of the trace, by namespace and name, with the volume that each is
	// bound to, or "".
	claims map[string]string
	// gone are the keys of claims and volumes that the latest event deletes.
	goneClaims, goneVolumes []string
	// omitted counts the volumes that are omitted.
	omitted int
}

type recordedVolume struct {
	class   string
	claim   string
	omitted bool
	// deleted is whether the provisioner deletes the volume with its claim.
	deleted bool
}

// NewBinding returns a Binding for a trace from its first event on.
func NewBinding() *Binding {
	return &Binding{volumes: map[string]*recordedVolume{}, claims: map[string]string{}}
}

// Add decides about the objects of the next event. It must be called before the other methods are
// called for the event's objects. Objects that can't be decoded are ignored.
func (b *Binding) Add(event *trace.Event) {
	b.forget()
	var added []string
	for i := range event.Applied {
		if event.Applied[i].GVK().GroupKind() != volumeKind {
			continue
		}
		if volume, err := convert[corev1.PersistentVolume](&event.Applied[i]); err == nil && b.addVolume(volume) {
			added = append(added, volume.Name)
		}
	}
	first := map[string]bool{} // claims that are new in this event
	for i := range event.Applied {
		if event.Applied[i].GVK().GroupKind() != claimKind {
			continue
		}
		key := event.Applied[i].NamespacedName()
		if _, known := b.claims[key]; known && !first[key] {
			continue
		}
		claim, err := convert[corev1.PersistentVolumeClaim](&event.Applied[i])
		if err != nil {
			continue
		}
		first[key] = true
		if name := claim.Spec.VolumeName; name != "" && b.volumes[name] != nil {
			b.claims[key] = name
		} else if b.claims[key] == "" {
			b.claims[key] = ""
		}
	}
	for _, name := range added {
		b.omit(name)
	}
	for i := range event.Deleted {
		switch event.Deleted[i].GVK().GroupKind() {
		case claimKind:
			b.goneClaims = append(b.goneClaims, event.Deleted[i].NamespacedName())
		case volumeKind:
			b.goneVolumes = append(b.goneVolumes, event.Deleted[i].Name())
		}
	}
	b.events++
}

// forget forgets what the previous event deleted.
func (b *Binding) forget() {
	for _, key := range b.goneClaims {
		delete(b.claims, key)
	}
	for _, name := range b.goneVolumes {
		delete(b.volumes, name)
	}
	b.goneClaims, b.goneVolumes = b.goneClaims[:0], b.goneVolumes[:0]
}

// addVolume adds a volume, and reports whether a provisioner made it and it is new.
func (b *Binding) addVolume(volume *corev1.PersistentVolume) bool {
	known := b.volumes[volume.Name]
	if known == nil {
		known = &recordedVolume{}
		b.volumes[volume.Name] = known
	}
	isNew := known.claim == ""
	known.class = volume.Spec.StorageClassName
	known.claim = claimOf(volume)
	known.deleted = known.claim != "" && volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
	return isNew && isProvisioned(volume)
}

// omit omits a new provisioned volume if its claim has been without it: the claim was there before,
// or, if claims were not recorded, may have been.
func (b *Binding) omit(name string) {
	volume := b.volumes[name]
	bound, known := b.claims[volume.claim]
	if known && bound != name || !known && b.events > 0 {
		volume.omitted = true
		b.omitted++
	}
}

// Claim returns the volume that a claim of the latest event is bound to and its class. The name is
// "" if the cluster is to find one.
func (b *Binding) Claim(namespacedName string) (name, class string) {
	name = b.claims[namespacedName]
	if volume := b.volumes[name]; volume != nil {
		return name, volume.class
	}
	return "", ""
}

// Omits reports whether an object of the latest event is not replayed: a volume that was
// provisioned for a claim that gets another one, the deletion of a volume that the provisioner
// deletes with its claim, or a CSINode, which is created with the node.
func (b *Binding) Omits(object *trace.Object, deleted bool) bool {
	switch object.GVK().GroupKind() {
	case csiNodeKind:
		return true
	case volumeKind:
		volume := b.volumes[object.Name()]
		return volume != nil && (volume.omitted || deleted && volume.deleted)
	}
	return false
}
