package simulation

import (
	"hash/maphash"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/standin"
	"simkube.io/simkube/internal/workload"
	"simkube.io/simkube/trace"
)

// owners is what the survey learns about the owners of pods.
type owners struct {
	history *lifecycle.History
	seed    maphash.Seed
	// custom reports whether there are workloads that Kubernetes does not handle.
	custom bool
	// parents are the owners of other objects of the trace that have pods.
	parents map[objectName]bool
	// asked is the most pods that a version of an object asks for: at once, or, if they finish, in
	// all.
	asked map[objectName]int
}

// objectName identifies an object of any version of its kind.
type objectName struct {
	kind schema.GroupKind
	name string
}

func newOwners() *owners {
	return &owners{history: lifecycle.NewHistory(), seed: maphash.MakeSeed(), parents: map[objectName]bool{}, asked: map[objectName]int{}}
}

// applied is called for every version of an object with pod templates.
func (o *owners) applied(now int64, name trace.PodOwner, manifest *unstructured.Unstructured, load *workload.Workload) {
	version := lifecycle.Version{Pods: load.Replicas()}
	asked := version.Pods
	if load.Finite {
		version.Completions = load.Pods
		asked = load.Pods
	}
	object := objectName{name.GVK.GroupKind(), name.Name}
	o.asked[object] = max(o.asked[object], asked)
	var h maphash.Hash
	h.SetSeed(o.seed)
	for i := range load.Templates {
		t := &load.Templates[i]
		hash, err := trace.HashValue(t.Value)
		if err != nil {
			hash = 0 // such a template has no pods
		}
		maphash.WriteComparable(&h, hash)
		version.RunsOn = version.RunsOn || t.RunsOn()
		version.GracePeriod = max(version.GracePeriod, t.GracePeriod())
	}
	version.Template = h.Sum64()
	o.history.Apply(now, name, version)
	o.custom = o.custom || standin.Custom(name.GVK.GroupKind())
	for _, ref := range manifest.GetOwnerReferences() {
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		if err != nil {
			continue // no object has such a kind
		}
		namespaced := trace.NamespacedName(manifest.GetNamespace(), ref.Name)
		o.parents[objectName{gv.WithKind(ref.Kind).GroupKind(), namespaced}] = true
	}
}

// hasParts reports whether the trace itself has the objects that an owner makes, which have its
// pods.
func (o *owners) hasParts(owner trace.PodOwner) bool {
	return o.parents[objectName{owner.GVK.GroupKind(), owner.Name}]
}

// deleted is called for every event.
func (o *owners) deleted(event *trace.Event) {
	for i := range event.Deleted {
		object := &event.Deleted[i]
		gvk := object.GVK()
		if gvk.GroupKind() == (schema.GroupKind{Kind: "Namespace"}) {
			o.history.DeleteNamespace(event.Time, object.Name())
			continue
		}
		o.history.Delete(event.Time, gvk, object.NamespacedName())
	}
}
