package traceinfo

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-helpers/resource"

	"simkube.io/simkube/trace"
)

// requests are the resource requests of pods.
type requests struct{ cpuMillis, memoryBytes, pods int64 }

func (r *requests) add(other requests) {
	r.cpuMillis += other.cpuMillis
	r.memoryBytes += other.memoryBytes
	r.pods += other.pods
}

func (r *requests) sub(other requests) {
	r.cpuMillis -= other.cpuMillis
	r.memoryBytes -= other.memoryBytes
	r.pods -= other.pods
}

// Limits beyond which values are considered invalid: the number of pods, and the requests of all
// pods of an object.
const (
	maxPods    = 10_000_000
	maxRequest = 1 << 50
)

// times returns the requests multiplied by n.
func (r requests) times(n int64) requests {
	product := func(v int64) int64 {
		if v > maxRequest/max(n, 1) {
			return maxRequest
		}
		return max(v, 0) * n
	}
	return requests{product(r.cpuMillis), product(r.memoryBytes), n}
}

// requestsOf returns the requests of the pods of an object. ok is false if they cannot be
// determined from its manifest.
func (c *collector) requestsOf(k *kindState, o *object, obj *trace.Object) (sum requests, ok bool) {
	sum, key, known := c.knownRequests(k, obj)
	if known {
		return sum, true
	}
	tree, err := obj.Unstructured()
	if err != nil {
		return sum, false
	}
	if isPod(k.gvk) {
		spec, _ := tree.Object["spec"].(map[string]any)
		if hash, err := trace.HashPodSpec(spec); err == nil && !slices.Contains(o.pods, hash) {
			o.pods = append(o.pods, hash)
		}
	}
	if isDaemonSet(k.gvk) || c.isControlled(tree) {
		return sum, true
	}
	ok = true
	for _, path := range k.paths {
		locations, err := trace.ResolvePaths(tree.Object, path)
		if err != nil {
			return requests{}, false
		}
		for _, l := range locations {
			one, replicas, readable := podRequests(k.gvk, tree.Object, l)
			ok = ok && readable
			sum.add(one.times(replicas))
			if key != 0 && readable {
				c.requestsByKey[key] = one
			}
		}
	}
	return sum, ok
}

// isControlled reports whether an object is controlled by another whose pods are counted.
func (c *collector) isControlled(tree *unstructured.Unstructured) bool {
	for _, owner := range tree.GetOwnerReferences() {
		if owner.Controller == nil || !*owner.Controller {
			continue
		}
		gvk := schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind)
		if _, tracked := c.config.TrackedObjects[gvk]; tracked && len(c.config.PodSpecTemplatePaths(gvk)) > 0 {
			return true
		}
	}
	return false
}

// podRequests returns the requests of one pod of a template, and the number of pods.
func podRequests(gvk schema.GroupVersionKind, tree map[string]any, l trace.Location) (one requests, replicas int64, ok bool) {
	template, isMap := l.Value.(map[string]any)
	if !isMap {
		return one, 0, false
	}
	parentSpec := tree
	if nested, isNested := template["template"].(map[string]any); isNested && gvk.Kind == "ReplicaSet" {
		parentSpec, template = template, nested // existing traces have /spec as the path of a ReplicaSet
	} else if parent := parentOf(tree, l.Pointer); parent != nil {
		parentSpec = parent
	}
	spec, _ := template["spec"].(map[string]any)
	pod := corev1.Pod{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": resourcesOf(spec)}, &pod); err != nil {
		return one, 0, false
	}
	for _, containers := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range containers {
			requestLimits(&containers[i].Resources)
		}
	}
	if pod.Spec.Resources != nil {
		requestLimits(pod.Spec.Resources)
	}
	list := resource.PodRequests(&pod, resource.PodResourcesOptions{})
	one = requests{cpuMillis: list.Cpu().MilliValue(), memoryBytes: list.Memory().Value()}
	return one, replicasOf(gvk, tree, parentSpec), true
}

// parentOf returns the map that contains the place of a pointer, or nil if it is not a map.
func parentOf(tree map[string]any, pointer string) map[string]any {
	end := strings.LastIndexByte(pointer, '/')
	if end < 0 {
		return nil
	}
	locations, err := trace.ResolvePaths(tree, pointer[:end])
	if err != nil || len(locations) != 1 {
		return nil
	}
	parent, _ := locations[0].Value.(map[string]any)
	return parent
}

// resourcesOf returns the part of a pod's spec from which its requests are computed.
func resourcesOf(spec map[string]any) map[string]any {
	kept := map[string]any{}
	for _, key := range []string{"overhead", "resources"} {
		if value, ok := spec[key]; ok {
			kept[key] = value
		}
	}
	for _, key := range []string{"containers", "initContainers"} {
		containers, _ := spec[key].([]any)
		list := make([]any, 0, len(containers))
		for _, c := range containers {
			container, _ := c.(map[string]any)
			small := map[string]any{}
			for _, field := range []string{"resources", "restartPolicy"} {
				if value, ok := container[field]; ok {
					small[field] = value
				}
			}
			list = append(list, small)
		}
		kept[key] = list
	}
	return kept
}

// requestLimits sets missing requests to the limits, as an API server does.
func requestLimits(r *corev1.ResourceRequirements) {
	for name, limit := range r.Limits {
		if _, ok := r.Requests[name]; ok {
			continue
		}
		requests := maps.Clone(r.Requests)
		if requests == nil {
			requests = corev1.ResourceList{}
		}
		requests[name] = limit
		r.Requests = requests
	}
}

// replicasOf returns the number of concurrent pods of a template.
func replicasOf(gvk schema.GroupVersionKind, tree, parentSpec map[string]any) int64 {
	switch gvk.GroupKind() {
	case schema.GroupKind{Kind: "Pod"}:
		return 1
	case schema.GroupKind{Group: "batch", Kind: "Job"}, schema.GroupKind{Group: "batch", Kind: "CronJob"}:
		// The map around the template is the Job's spec.
		outer, _ := tree["spec"].(map[string]any)
		if isTrue(outer["suspend"]) || isTrue(parentSpec["suspend"]) {
			return 0
		}
		parallelism := number(parentSpec["parallelism"], 1)
		return min(parallelism, number(parentSpec["completions"], parallelism))
	}
	return number(parentSpec["replicas"], 1)
}

func isTrue(v any) bool { b, _ := v.(bool); return b }

func number(v any, otherwise int64) int64 {
	switch v := v.(type) {
	case int64:
		otherwise = v
	case float64:
		otherwise = int64(max(min(v, maxPods), 0))
	}
	return max(min(otherwise, maxPods), 0)
}

func isDaemonSet(gvk schema.GroupVersionKind) bool {
	return gvk.GroupKind() == schema.GroupKind{Group: "apps", Kind: "DaemonSet"}
}

func isPod(gvk schema.GroupVersionKind) bool {
	return gvk == schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
}
