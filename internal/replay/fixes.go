package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/exclusion"
)

// fixes remove from a manifest what the recorded cluster set and another cluster would reject, or
// what has another meaning there.
var fixes = map[schema.GroupKind]func(b *builder, object map[string]any){
	{Group: "batch", Kind: "Job"}:      fixJob,
	{Group: "apps", Kind: "DaemonSet"}: fixDaemonSet,
	{Kind: "Namespace"}:                fixNamespace,
	{Kind: "PersistentVolume"}:         fixVolume,
	{Kind: "PersistentVolumeClaim"}:    fixClaim,
	{Kind: "Pod"}:                      fixBarePod,
	{Kind: "Service"}:                  fixService,
	exclusion.Definition:               fixDefinition,
}

// fixJob removes the selector and its labels, which the API server generates and rejects otherwise.
func fixJob(_ *builder, object map[string]any) {
	spec := child(object, "spec")
	if manual, _ := spec["manualSelector"].(bool); manual {
		return
	}
	delete(spec, "selector")
	for _, labels := range []map[string]any{
		child(child(object, "metadata"), "labels"),
		child(child(child(spec, "template"), "metadata"), "labels"),
	} {
		for _, key := range []string{"controller-uid", "job-name"} {
			delete(labels, key)
			delete(labels, "batch.kubernetes.io/"+key)
		}
	}
}

// fixDaemonSet adds the placement of simulated pods to the template: the controller creates pods
// only for the nodes that the template fits.
func fixDaemonSet(b *builder, object map[string]any) {
	if b.isolation == nil {
		return
	}
	template := child(child(object, "spec"), "template")
	tolerate(template)
	child(child(template, "spec"), "nodeSelector")[simkubev1.LabelNodeType] = simkubev1.NodeTypeVirtual
}

// fixNamespace adds the recorded name if the name in the cluster is shortened.
func fixNamespace(b *builder, object map[string]any) {
	delete(object, "spec")
	if b.isolation == nil {
		return
	}
	metadata := child(object, "metadata")
	name, _ := metadata["name"].(string)
	if recorded, ok := b.isolation.names.Shortened(name); ok {
		child(metadata, "annotations")[simkubev1.AnnotationOriginalNamespace] = recorded
	}
}

// fixVolume changes the reference to the claim, which is in the simulated namespace and has another
// UID. It also prevents recycling, which would create a pod in the namespace default, outside of
// the simulation.
func fixVolume(b *builder, object map[string]any) {
	if spec := child(object, "spec"); spec["persistentVolumeReclaimPolicy"] == "Recycle" {
		spec["persistentVolumeReclaimPolicy"] = "Retain"
	}
	claim, ok := child(object, "spec")["claimRef"].(map[string]any)
	if !ok {
		return
	}
	delete(claim, "uid")
	delete(claim, "resourceVersion")
	if namespace, ok := claim["namespace"].(string); ok {
		claim["namespace"] = b.namespace(namespace)
	}
}

func fixClaim(_ *builder, object map[string]any) { delete(child(object, "spec"), "volumeName") }

// fixService removes the addresses and ports that the recorded cluster allocated. A headless
// service stays one.
func fixService(_ *builder, object map[string]any) {
	spec := child(object, "spec")
	if spec["clusterIP"] != "None" {
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
	}
	for _, key := range []string{"healthCheckNodePort", "ipFamilies", "ipFamilyPolicy"} {
		delete(spec, key)
	}
	for _, port := range objectsIn(spec["ports"]) {
		delete(port, "nodePort")
	}
}

// fixDefinition removes the conversion by a webhook: its server does not run.
func fixDefinition(_ *builder, object map[string]any) { exclusion.RemoveConversion(object) }

// fixBarePod removes what the scheduler and admission set.
func fixBarePod(_ *builder, object map[string]any) {
	spec := child(object, "spec")
	for _, key := range []string{"ephemeralContainers", "nodeName", "overhead", "preemptionPolicy", "priority"} {
		delete(spec, key)
	}
	delete(child(child(object, "metadata"), "annotations"), "kubernetes.io/limit-ranger")
}

// withoutPorts removes the ports from a pod's spec: a port of the host would keep other workloads
// off a node of a shared cluster.
func withoutPorts(spec map[string]any) {
	for _, container := range objectsIn(spec["containers"]) {
		delete(container, "ports")
	}
}

// fixPodSpec removes from a pod's spec, in a template or a pod, the volume of the service account's
// token. Of duplicate keys in a list, which a create allows and an apply does not, it keeps the
// last, as in a running pod.
func fixPodSpec(spec map[string]any) {
	for _, containers := range []string{"initContainers", "containers"} {
		for _, container := range objectsIn(spec[containers]) {
			without(container, "volumeMounts", isTokenVolume)
			unique(container, "env", byField("name"))
			unique(container, "ports", portKey)
		}
	}
	without(spec, "volumes", isTokenVolume)
	unique(spec, "imagePullSecrets", byField("name"))
	unique(spec, "hostAliases", byField("ip"))
}

func isTokenVolume(object any) bool {
	volume, _ := object.(map[string]any)
	name, _ := volume["name"].(string)
	return strings.HasPrefix(name, "kube-api-access")
}

func without(in map[string]any, key string, unwanted func(any) bool) {
	list, ok := in[key].([]any)
	if !ok {
		return
	}
	if list = slices.DeleteFunc(list, unwanted); len(list) > 0 {
		in[key] = list
	} else {
		delete(in, key)
	}
}

// byField returns a function that returns a field of an object, or an empty text.
func byField(name string) func(object map[string]any) string {
	return func(object map[string]any) string {
		value, _ := object[name].(string)
		return value
	}
}

// portKey returns what an apply identifies a container's port by.
func portKey(port map[string]any) string {
	protocol, _ := port["protocol"].(string)
	return fmt.Sprint(port["containerPort"], cmp.Or(protocol, string(corev1.ProtocolTCP)))
}

// unique keeps one of the elements with the same id in a list: the last, at the position of the
// first.
func unique(in map[string]any, key string, id func(object map[string]any) string) {
	list, ok := in[key].([]any)
	if !ok {
		return
	}
	at := make(map[string]int, len(list))
	kept := list[:0]
	for _, element := range list {
		object, _ := element.(map[string]any)
		name := id(object)
		if i, seen := at[name]; seen {
			kept[i] = element
			continue
		}
		at[name] = len(kept)
		kept = append(kept, element)
	}
	in[key] = kept
}

// objectsIn returns the elements of a list that are objects.
func objectsIn(list any) []map[string]any {
	elements, _ := list.([]any)
	objects := make([]map[string]any, 0, len(elements))
	for _, element := range elements {
		if object, ok := element.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}
