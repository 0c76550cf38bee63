package replay

import (
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/trace"
)

// builder builds the objects to apply from those that were recorded. It is safe for concurrent use.
type builder struct {
	simulation string
	root       mutate.Root
	config     *trace.Config
	// isolation is nil if the cluster belongs to the simulation alone. Then objects keep their names,
	// and pods everything that scheduling depends on.
	isolation *isolation
	// recorded is nil if the cluster does not belong to the simulation alone.
	recorded *recorded
}

// build returns the body of a server-side apply. The error is a *leftOutError for an object that
// must not be applied.
func (b *builder) build(object *trace.Object) ([]byte, error) {
	u, err := object.Unstructured()
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	b.rebuild(u)
	withoutNulls(u.Object)
	if b.recorded != nil {
		b.recorded.restore(keyOf(object), u.Object)
	}
	if b.isolation != nil {
		if err := b.isolation.isolate(keyOf(object), u.Object); err != nil {
			return nil, err
		}
	}
	for _, path := range b.config.PodSpecTemplatePaths(object.GVK()) {
		if err := b.rebuildTemplates(u, path); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(u.Object)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return body, nil
}

// withoutNulls removes fields that are null. To a create they are the same as missing ones, but an
// apply of a custom resource is refused for them.
func withoutNulls(in map[string]any) {
	for key, value := range in {
		switch value := value.(type) {
		case nil:
			delete(in, key)
		case map[string]any:
			withoutNulls(value)
		case []any:
			for _, element := range value {
				if object, ok := element.(map[string]any); ok {
					withoutNulls(object)
				}
			}
		}
	}
}

func decode(body []byte) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(body); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return u, nil
}

// rebuild sets the metadata that the object has in the simulation, and removes what the recorded
// cluster set.
func (b *builder) rebuild(u *unstructured.Unstructured) {
	delete(u.Object, "status")
	namespace, name := u.GetNamespace(), u.GetName()
	kind := u.GroupVersionKind().GroupKind()
	name = b.target(kind, name)
	recorded := child(u.Object, "metadata")
	metadata := map[string]any{
		"name":            name,
		"labels":          cleaned(recorded["labels"]),
		"annotations":     cleaned(recorded["annotations"]),
		"ownerReferences": []any{rootReferenceObject(b.root)},
	}
	if namespace != "" {
		metadata["namespace"] = b.namespace(namespace)
	}
	for key, value := range simkubev1.SimulatedLabels(b.simulation) {
		metadata["labels"].(map[string]any)[key] = value
	}
	u.Object["metadata"] = metadata
	if fix := fixes[kind]; fix != nil {
		fix(b, u.Object)
	}
}

// define remembers the names of classes in an event, and how its volumes are bound. It is called
// before the objects of the event are built.
func (b *builder) define(event *trace.Event) {
	if b.recorded != nil {
		b.recorded.binding.Add(event)
	}
	if b.isolation != nil {
		b.isolation.define(event)
	}
}

// target returns the name that an object of the trace has in the cluster.
func (b *builder) target(kind schema.GroupKind, name string) string {
	switch {
	case kind == namespaceKind:
		return b.namespace(name)
	case b.isolation != nil:
		return b.isolation.target(kind, name)
	}
	return name
}

// namespace returns the name that a namespace of the trace has in the cluster.
func (b *builder) namespace(name string) string {
	if b.isolation == nil {
		return name
	}
	return b.isolation.names.Simulated(name)
}

// rebuildTemplates changes the pod templates at a path in the same way.
func (b *builder) rebuildTemplates(u *unstructured.Unstructured, path string) error {
	namespace := ""
	if b.isolation != nil {
		namespace, _ = b.isolation.names.Recorded(u.GetNamespace())
	}
	locations, err := trace.ResolvePaths(u.Object, path)
	if err != nil {
		return fmt.Errorf("pod template %s: %w", path, err)
	}
	for _, location := range locations {
		template, ok := location.Value.(map[string]any)
		if !ok {
			return fmt.Errorf("pod template %s is not an object", location.Pointer)
		}
		metadata := child(template, "metadata")
		delete(metadata, "creationTimestamp")
		metadata["annotations"] = cleaned(metadata["annotations"])
		if labels, ok := metadata["labels"]; ok && path != "" {
			metadata["labels"] = cleaned(labels)
		}
		if namespace != "" {
			metadata["annotations"].(map[string]any)[simkubev1.AnnotationOriginalNamespace] = namespace
		}
		spec := child(template, "spec")
		fixPodSpec(spec)
		if b.isolation != nil {
			withoutPorts(spec)
			b.isolation.pod(spec)
		}
	}
	return nil
}

// droppedPrefixes are the labels and annotations that are about the recorded cluster and not about
// the object: those of controllers, of kubectl, and of an earlier simulation that was recorded.
var droppedPrefixes = []string{
	"control-plane.alpha.kubernetes.io/",
	"deployment.kubernetes.io/",
	"kubectl.kubernetes.io/last-applied-configuration",
	"kubernetes.io/metadata.name",
	"pv.kubernetes.io/",
	"simkube.io/",
	"static.simkube.io/",
	"volume.beta.kubernetes.io/storage-provisioner",
	"volume.kubernetes.io/",
}

// cleaned returns a copy of labels or annotations without those.
func cleaned(recorded any) map[string]any {
	from, _ := recorded.(map[string]any)
	to := make(map[string]any, len(from)+2)
next:
	for key, value := range from {
		for _, prefix := range droppedPrefixes {
			if strings.HasPrefix(key, prefix) {
				continue next
			}
		}
		to[key] = value
	}
	return to
}

// child returns the map under a key, which it adds if it is missing.
func child(in map[string]any, key string) map[string]any {
	m, ok := in[key].(map[string]any)
	if !ok {
		m = map[string]any{}
		in[key] = m
	}
	return m
}

// rootReference returns the owner reference that marks an object as part of the simulation.
func rootReference(root mutate.Root) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: simkubev1.GroupVersion.String(), Kind: rootKind, Name: root.Name, UID: root.UID,
	}
}

func rootReferenceObject(root mutate.Root) map[string]any {
	ref := rootReference(root)
	return map[string]any{"apiVersion": ref.APIVersion, "kind": ref.Kind, "name": ref.Name, "uid": string(ref.UID)}
}
