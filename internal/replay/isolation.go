package replay

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/trace"
)

// isolation separates the objects of a trace from the other workloads of a cluster. Namespaced
// objects are in simulated namespaces already; isolation changes those that have an effect beyond
// their namespace. It renames the cluster-scoped objects that pods need, together with references
// to them, and leaves out the rest. It is safe for concurrent use.
type isolation struct {
	names *virtualns.Names
	// namespaces are the labels of simulated namespaces.
	namespaces map[string]string

	mu sync.Mutex
	// classes are the names of the classes in the trace, by kind. References to other classes are to
	// those of the cluster, and are not changed.
	classes map[schema.GroupKind]map[string]bool
	// leftOut are the objects that are left out.
	leftOut map[objectKey]bool
	// changed are the objects that were changed, by a description of the change.
	changed map[string]map[objectKey]bool
}

// The kinds of classes that are renamed.
var (
	priorityClassKind = schema.GroupKind{Group: "scheduling.k8s.io", Kind: "PriorityClass"}
	runtimeClassKind  = schema.GroupKind{Group: "node.k8s.io", Kind: "RuntimeClass"}
	storageClassKind  = schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}
	volumeKind        = schema.GroupKind{Kind: "PersistentVolume"}
)

func newIsolation(simulation string, names *virtualns.Names) *isolation {
	return &isolation{
		names:      names,
		namespaces: simkubev1.SimulatedLabels(simulation),
		classes:    map[schema.GroupKind]map[string]bool{},
		leftOut:    map[objectKey]bool{},
		changed:    map[string]map[objectKey]bool{},
	}
}

// isClass reports whether pods and claims refer to objects of a kind by name.
func isClass(kind schema.GroupKind) bool {
	return kind == priorityClassKind || kind == runtimeClassKind || kind == storageClassKind
}

// renamed reports whether cluster-scoped objects of a kind are replayed with another name. All
// other kinds, except namespaces, are left out.
func renamed(kind schema.GroupKind) bool { return isClass(kind) || kind == volumeKind }

// rename returns the name of a class or a volume of the trace in the cluster.
func (i *isolation) rename(name string) string { return simkubev1.VirtualName(i.names.Prefix(), name) }

// target returns the name that an object has in the cluster.
func (i *isolation) target(kind schema.GroupKind, name string) string {
	if renamed(kind) {
		return i.rename(name)
	}
	return name
}

// define remembers the classes of an event, before the objects that refer to them are built.
func (i *isolation) define(event *trace.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range event.Applied {
		object := &event.Applied[n]
		kind := object.GVK().GroupKind()
		if !isClass(kind) || inEveryCluster(object) {
			continue
		}
		if i.classes[kind] == nil {
			i.classes[kind] = map[string]bool{}
		}
		i.classes[kind][object.Name()] = true
	}
}

// leftOutError is why an object is not replayed in a cluster with other workloads.
type leftOutError struct{ reason string }

func (e *leftOutError) Error() string { return e.reason }

// omit marks an object as left out, and reports whether it was not before.
func (i *isolation) omit(key objectKey) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.leftOut[key] {
		return false
	}
	i.leftOut[key] = true
	return true
}

// restore unmarks an object, and reports whether it was left out.
func (i *isolation) restore(key objectKey) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer delete(i.leftOut, key)
	return i.leftOut[key]
}

// note counts an object that was changed, with a description of the change.
func (i *isolation) note(key objectKey, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.changed[what] == nil {
		i.changed[what] = map[objectKey]bool{}
	}
	i.changed[what][key] = true
}

// changes returns how many objects were changed, by description of the change.
func (i *isolation) changes() map[string]int {
	if i == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	changes := make(map[string]int, len(i.changed))
	for what, keys := range i.changed {
		changes[what] = len(keys)
	}
	return changes
}

// class renames a reference to a class of the trace.
func (i *isolation) class(kind schema.GroupKind, in map[string]any, field string) {
	name, _ := in[field].(string)
	i.mu.Lock()
	known := i.classes[kind][name]
	i.mu.Unlock()
	if known {
		in[field] = i.rename(name)
	}
}

// isolate changes an object that has an effect beyond its namespace. Its metadata are those in the
// simulation; key is its key in the trace.
func (i *isolation) isolate(key objectKey, object map[string]any) error {
	spec := func() map[string]any { return child(object, "spec") }
	annotations := func() map[string]any { return child(child(object, "metadata"), "annotations") }
	switch key.kind {
	case priorityClassKind:
		if object["globalDefault"] == true {
			i.note(key, "a PriorityClass is not the default")
		}
		delete(object, "globalDefault")
	case storageClassKind:
		i.storageClass(key, object, annotations())
	case volumeKind:
		return i.volume(key, spec())
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}:
		i.claim(spec())
		i.class(storageClassKind, annotations(), "volume.beta.kubernetes.io/storage-class")
	case schema.GroupKind{Group: "apps", Kind: "StatefulSet"}:
		for _, template := range objectsIn(spec()["volumeClaimTemplates"]) {
			i.claim(child(template, "spec"))
		}
	case schema.GroupKind{Kind: "ResourceQuota"}:
		i.quota(spec())
	case schema.GroupKind{Kind: "Service"}:
		i.service(key, spec(), annotations())
	case schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}:
		i.ingress(key, spec(), annotations())
	case schema.GroupKind{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:
		i.networkPolicy(spec())
	case schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:
		i.roleBinding(object)
	default:
		if key.kind.Group == "gateway.networking.k8s.io" {
			i.gateway(spec())
		}
	}
	return nil
}

// defaultClass are the annotations that make a class the default for claims.
var defaultClass = []string{
	"storageclass.kubernetes.io/is-default-class",
	"storageclass.beta.kubernetes.io/is-default-class",
}

func (i *isolation) storageClass(key objectKey, object, annotations map[string]any) {
	for _, annotation := range defaultClass {
		if annotations[annotation] == "true" {
			i.note(key, "a StorageClass is not the default")
		}
		delete(annotations, annotation)
	}
	if policy := object["reclaimPolicy"]; policy != nil && policy != "Delete" {
		i.note(key, "volumes of a StorageClass are deleted with their claims")
	}
	// What a provisioner makes for simulated claims must be deleted with them.
	object["reclaimPolicy"] = "Delete"
}

// volume binds a volume to its simulated claim, and removes its storage. A volume without a claim
// is left out until it has one, since it could be bound to a claim of another workload.
func (i *isolation) volume(key objectKey, spec map[string]any) error {
	claim, _ := spec["claimRef"].(map[string]any)
	namespace, _ := claim["namespace"].(string)
	name, _ := claim["name"].(string)
	if namespace == "" || name == "" {
		return &leftOutError{"a PersistentVolume without a claim could be bound to a claim of another workload"}
	}
	for _, source := range volumeSources(spec) {
		delete(spec, source)
	}
	spec["hostPath"] = map[string]any{"path": "/nonexistent"}
	spec["persistentVolumeReclaimPolicy"] = "Retain"
	i.class(storageClassKind, spec, "storageClassName")
	i.note(key, "a PersistentVolume has no storage behind it")
	return nil
}

// notSources are the fields of a volume's spec that do not describe where it is stored.
var notSources = []string{
	"accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy",
	"storageClassName", "volumeAttributesClassName", "volumeMode",
}

// volumeSources returns the fields of a volume's spec that describe where it is stored.
func volumeSources(spec map[string]any) []string {
	var sources []string
	for field := range spec {
		if !slices.Contains(notSources, field) {
			sources = append(sources, field)
		}
	}
	return sources
}

// claim renames the class of a claim, and moves its source to a simulated namespace.
func (i *isolation) claim(spec map[string]any) {
	i.class(storageClassKind, spec, "storageClassName")
	source, _ := spec["dataSourceRef"].(map[string]any)
	if namespace, ok := source["namespace"].(string); ok {
		source["namespace"] = i.names.Simulated(namespace)
	}
}

// quota renames the priority classes to which a quota applies.
func (i *isolation) quota(spec map[string]any) {
	selector, _ := spec["scopeSelector"].(map[string]any)
	for _, expression := range objectsIn(selector["matchExpressions"]) {
		values, _ := expression["values"].([]any)
		if expression["scopeName"] != "PriorityClass" {
			continue
		}
		for n, value := range values {
			one := map[string]any{"value": value}
			i.class(priorityClassKind, one, "value")
			values[n] = one["value"]
		}
	}
}

// outside are the fields of a Service that make it reachable from outside the cluster.
var outside = []string{
	"allocateLoadBalancerNodePorts", "externalIPs", "externalTrafficPolicy", "loadBalancerClass", "loadBalancerIP",
	"loadBalancerSourceRanges",
}

// service makes a Service reachable within the cluster only. Its annotations are removed because
// they are for controllers of DNS names and load balancers.
func (i *isolation) service(key objectKey, spec, annotations map[string]any) {
	switch spec["type"] {
	case "LoadBalancer", "NodePort":
		i.note(key, "a Service of type %s is one of type ClusterIP", spec["type"])
		spec["type"] = "ClusterIP"
	}
	for _, field := range outside {
		if field == "externalIPs" && spec[field] != nil {
			i.note(key, "a Service has no external addresses")
		}
		delete(spec, field)
	}
	if name, ok := spec["externalName"].(string); ok {
		spec["externalName"] = i.serviceName(name)
	}
	i.withoutAnnotations(key, annotations)
}

// ingress sets a class that no controller serves, and hosts that do not exist.
func (i *isolation) ingress(key objectKey, spec, annotations map[string]any) {
	i.withoutAnnotations(key, annotations)
	class, _ := spec["ingressClassName"].(string)
	if class == "" {
		class = "none"
	}
	spec["ingressClassName"] = i.rename(class)
	for _, rule := range objectsIn(spec["rules"]) {
		if host, ok := rule["host"].(string); ok && host != "" {
			rule["host"] = unreachable(host)
		}
	}
	for _, tls := range objectsIn(spec["tls"]) {
		hosts, _ := tls["hosts"].([]any)
		for n, host := range hosts {
			if host, ok := host.(string); ok {
				hosts[n] = unreachable(host)
			}
		}
	}
	i.note(key, "an Ingress has a class and hosts that nothing serves")
}

// unreachable returns a host below .invalid, which RFC 2606 reserves.
func unreachable(host string) string {
	const suffix, maxLength = ".invalid", 253
	if len(host)+len(suffix) > maxLength {
		host = strings.TrimLeft(host[len(host)+len(suffix)-maxLength:], ".-")
	}
	return host + suffix
}

func (i *isolation) withoutAnnotations(key objectKey, annotations map[string]any) {
	if len(annotations) > 0 {
		i.note(key, "a %s has no annotations, which are for controllers outside the simulation", key.kind.Kind)
	}
	clear(annotations)
}
