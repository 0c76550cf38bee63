package replay

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
)

// fixes take out of a manifest what the recorded cluster filled in and another one would refuse, or what
// means something else there.
var fixes = map[schema.GroupKind]func(b *builder, object map[string]any){
	{Group: "batch", Kind: "Job"}:      fixJob,
	{Group: "apps", Kind: "DaemonSet"}: fixDaemonSet,
	{Kind: "Namespace"}:                fixNamespace,
	{Kind: "PersistentVolume"}:         fixVolume,
	{Kind: "PersistentVolumeClaim"}:    fixClaim,
	{Kind: "Pod"}:                      fixBarePod,
	{Kind: "Service"}:                  fixService,
}

// fixJob: the API server makes a Job's selector and the labels it selects by, and refuses others.
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

// fixDaemonSet: the controller makes pods for those nodes only that the template fits, so it needs the
// placement before the pods do.
func fixDaemonSet(_ *builder, object map[string]any) {
	template := child(child(object, "spec"), "template")
	tolerate(template)
	child(child(template, "spec"), "nodeSelector")[simkubev1.LabelNodeType] = simkubev1.NodeTypeVirtual
}

func fixNamespace(_ *builder, object map[string]any) { delete(object, "spec") }

// fixVolume: a claim is in the simulated namespace, and has another UID there. A volume that is to
// be recycled would have a pod made that does so, in the namespace default: outside of the
// simulation, and with nothing to do.
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
		claim["namespace"] = simkubev1.VirtualNamespace(b.prefix, namespace)
	}
}

func fixClaim(_ *builder, object map[string]any) { delete(child(object, "spec"), "volumeName") }

// fixService: addresses and ports that were given out belong to the recorded cluster. That a service has
// none was a choice.
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

// fixBarePod: what the scheduler and admission filled in.
func fixBarePod(_ *builder, object map[string]any) {
	spec := child(object, "spec")
	for _, key := range []string{"ephemeralContainers", "nodeName", "overhead", "preemptionPolicy", "priority"} {
		delete(spec, key)
	}
	delete(child(child(object, "metadata"), "annotations"), "kubernetes.io/limit-ranger")
}

// fixPodSpec takes out of a pod's spec, in a template or in a pod, the ports, which mean nothing where
// nothing runs, and the volume of its account's token. Keys that stand twice in a list, which a create lets pass and
// an apply does not, are made one: the last counts, as in a running pod.
func fixPodSpec(spec map[string]any) {
	for _, container := range objectsIn(spec["containers"]) {
		delete(container, "ports")
	}
	for _, containers := range []string{"initContainers", "containers"} {
		for _, container := range objectsIn(spec[containers]) {
			without(container, "volumeMounts", isTokenVolume)
			unique(container, "env", "name")
		}
	}
	without(spec, "volumes", isTokenVolume)
	unique(spec, "imagePullSecrets", "name")
	unique(spec, "hostAliases", "ip")
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

// unique leaves one of the elements with the same name in a list: the last, in the place of the first.
func unique(in map[string]any, key, name string) {
	list, ok := in[key].([]any)
	if !ok {
		return
	}
	at := make(map[any]int, len(list))
	kept := list[:0]
	for _, element := range list {
		object, _ := element.(map[string]any)
		id, _ := object[name].(string)
		if i, seen := at[id]; seen {
			kept[i] = element
			continue
		}
		at[id] = len(kept)
		kept = append(kept, element)
	}
	in[key] = kept
}

// objectsIn gives the elements of a list of objects.
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
