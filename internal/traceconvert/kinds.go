package traceconvert

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"simkube.io/simkube/trace"
)

// objectKey identifies an object, regardless of the version of its kind.
type objectKey struct {
	kind schema.GroupKind
	name string // namespaced
}

func key(gvk schema.GroupVersionKind, name string) objectKey { return objectKey{gvk.GroupKind(), name} }

// kindFinder maps resources to kinds, based on the objects in a recording.
type kindFinder struct {
	known map[schema.GroupVersionResource]schema.GroupVersionKind
}

func newKindFinder() *kindFinder {
	return &kindFinder{known: map[schema.GroupVersionResource]schema.GroupVersionKind{}}
}

// serves records the kind of a resource.
func (f *kindFinder) serves(resource schema.GroupVersionResource, gvk schema.GroupVersionKind) {
	f.known[resource] = gvk
}

// seen records that there are objects of a kind. The name of the resource is guessed from the kind,
// or taken from a CustomResourceDefinition.
func (f *kindFinder) seen(gvk schema.GroupVersionKind, data []byte) {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	if _, ok := f.known[plural]; !ok {
		f.known[plural] = gvk
	}
	if gvk.Kind != "CustomResourceDefinition" || gvk.Group != "apiextensions.k8s.io" {
		return
	}
	var definition struct {
		Spec struct {
			Group    string
			Names    struct{ Plural, Kind string }
			Versions []struct{ Name string }
		}
	}
	if json.Unmarshal(data, &definition) != nil {
		return
	}
	for _, version := range definition.Spec.Versions {
		gv := schema.GroupVersion{Group: definition.Spec.Group, Version: version.Name}
		f.known[gv.WithResource(definition.Spec.Names.Plural)] = gv.WithKind(definition.Spec.Names.Kind)
	}
}

// find returns the kind of a resource.
func (f *kindFinder) find(resource schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	if gvk, ok := f.known[resource]; ok {
		return gvk, nil
	}
	for kind := range scheme.Scheme.KnownTypes(resource.GroupVersion()) {
		gvk := resource.GroupVersion().WithKind(kind)
		if plural, _ := meta.UnsafeGuessKindToResource(gvk); plural == resource {
			f.known[resource] = gvk
			return gvk, nil
		}
	}
	return schema.GroupVersionKind{}, fmt.Errorf("the resource %s of %q has no known kind: the recording has no object of it",
		resource.Resource, resource.GroupVersion())
}

// IgnoredKinds returns the kinds that a cluster creates for itself, or that belong to its operation
// and not to its workload. They are not converted, unless a Config contains them. The version is
// ignored; an empty Kind stands for all kinds of a group.
func IgnoredKinds() []schema.GroupKind {
	return []schema.GroupKind{
		{Group: "", Kind: "Node"},
		{Group: "", Kind: "Event"},
		{Group: "", Kind: "Endpoints"},
		{Group: "", Kind: "ComponentStatus"},
		{Group: "events.k8s.io"},
		{Group: "discovery.k8s.io"},
		{Group: "coordination.k8s.io"},
		{Group: "apiregistration.k8s.io"},
		{Group: "flowcontrol.apiserver.k8s.io"},
		{Group: "certificates.k8s.io"},
		{Group: "admissionregistration.k8s.io"},
		{Group: "rbac.authorization.k8s.io"},
		{Group: "internal.apiserver.k8s.io"},
		{Group: "metrics.k8s.io"},
		{Group: "storage.k8s.io", Kind: "CSINode"},
		{Group: "storage.k8s.io", Kind: "VolumeAttachment"},
		{Group: "storage.k8s.io", Kind: "CSIStorageCapacity"},
		{Group: "apps", Kind: "ControllerRevision"},
		{Group: "networking.k8s.io", Kind: "IPAddress"},
		{Group: "networking.k8s.io", Kind: "ServiceCIDR"},
		{Group: "kwok.x-k8s.io"},
	}
}

// filter selects the objects to convert.
type filter struct {
	config             *trace.Config
	ignored            map[schema.GroupKind]bool
	excluded, included map[string]bool
}

func newFilter(opts *Options) *filter {
	f := &filter{config: opts.Config, ignored: map[schema.GroupKind]bool{}, excluded: map[string]bool{}, included: map[string]bool{}}
	for _, kind := range IgnoredKinds() {
		f.ignored[kind] = true
	}
	f.exclude(opts.ExcludedNamespaces)
	for _, name := range opts.IncludedNamespaces {
		f.included[name] = true
	}
	return f
}

// passesKind reports whether objects of a kind are converted.
func (f *filter) passesKind(gvk schema.GroupVersionKind) bool {
	if f.config != nil {
		_, ok := f.config.TrackedObjects[gvk]
		return ok
	}
	return !f.ignored[gvk.GroupKind()] && !f.ignored[schema.GroupKind{Group: gvk.Group}]
}

// passesNamespace reports whether objects of a namespace are converted. An object without one is in
// the empty namespace.
func (f *filter) passesNamespace(namespace string) bool {
	return namespace == "" || !f.excluded[namespace] && (len(f.included) == 0 || f.included[namespace])
}

// namespaceOf returns the namespace that decides whether an object is converted.
func namespaceOf(gvk schema.GroupVersionKind, name string) string {
	namespace, object := trace.SplitNamespacedName(name)
	if namespace == "" && gvk.Group == "" && gvk.Kind == "Namespace" {
		return object
	}
	return namespace
}

// passes reports whether an object is converted if it has no owner.
func (f *filter) passes(gvk schema.GroupVersionKind, name string) bool {
	namespace := namespaceOf(gvk, name)
	if !f.passesKind(gvk) || !f.passesNamespace(namespace) {
		return false
	}
	if namespace == "" || f.config != nil || gvk.Group != "" {
		return true
	}
	// Every namespace has these objects automatically.
	_, object := trace.SplitNamespacedName(name)
	return !(gvk.Kind == "ConfigMap" && object == "kube-root-ca.crt" || gvk.Kind == "ServiceAccount" && object == "default")
}

// exclude sets the namespaces that are left out.
func (f *filter) exclude(namespaces []string) {
	for _, name := range namespaces {
		f.excluded[name] = true
	}
}
