package standin

import (
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/workload"
)

// make creates one pod of a template, with the next of the recorded lifecycles.
func (c *Controller) make(k key, s *state, object *unstructured.Unstructured, t *workload.Template, recorded []lifecycle.Recorded) error {
	var next *lifecycle.Recorded
	if n := s.given[t.Pointer]; n < len(recorded) {
		next = &recorded[n]
	}
	created, err := c.dynamic.Resource(podsResource()).Namespace(k.namespace).
		Create(c.ctx, podOf(object, t, next), metav1.CreateOptions{FieldManager: component})
	if err != nil {
		return c.failed(s, object, fmt.Errorf("create a pod of %s %s: %w", k.kind.Kind, k.name, err))
	}
	uid := created.GetUID()
	s.failure = ""
	s.made[t.Pointer]++
	if next != nil {
		s.given[t.Pointer]++
		s.lifecycles[uid] = *next
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made.Pods++; total(s.made) == 1 {
		c.made.Workloads[k.kind]++
	}
	s.created[uid] = t.Pointer
	return nil
}

func podsResource() schema.GroupVersionResource {
	return corev1.SchemeGroupVersion.WithResource("pods")
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// podOf returns a pod of a template. With a recorded lifecycle, the pod has the hash and the number
// that it is found by: the controller that is missing may have changed the template.
func podOf(object *unstructured.Unstructured, t *workload.Template, recorded *lifecycle.Recorded) *unstructured.Unstructured {
	template := runtime.DeepCopyJSON(t.Value)
	from, _ := template["metadata"].(map[string]any)
	labels := mapIn(from, "labels")
	labels[simkubev1.LabelStandIn] = "true"
	annotations := mapIn(from, "annotations")
	annotations[simkubev1.AnnotationStandInTemplate] = t.Pointer
	if recorded != nil {
		annotations[simkubev1.AnnotationPodSpecStableHash] = strconv.FormatUint(recorded.Hash, 10)
		annotations[simkubev1.AnnotationPodSequenceNumber] = strconv.Itoa(recorded.Number)
	}
	metadata := map[string]any{
		"generateName": object.GetName() + "-",
		"namespace":    object.GetNamespace(),
		"labels":       labels,
		"annotations":  annotations,
		"ownerReferences": []any{map[string]any{
			"apiVersion": object.GetAPIVersion(), "kind": object.GetKind(), "name": object.GetName(), "uid": string(object.GetUID()),
			"controller": true, "blockOwnerDeletion": true,
		}},
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"],
	}}
}

// mapIn returns the map under a key, or a new one.
func mapIn(in map[string]any, key string) map[string]any {
	if m, ok := in[key].(map[string]any); ok {
		return m
	}
	return map[string]any{}
}

// share distributes the recorded lifecycles of a workload among its templates. The pods of a
// template usually have one hash, and those of the first templates are made first. If the hashes do
// not correspond to the templates, for example because the controller gave every pod a number of
// its own, the templates get the lifecycles in order: as many as they have pods, and the last one
// the rest.
func share(templates []workload.Template, recorded []lifecycle.Recorded) [][]lifecycle.Recorded {
	out := make([][]lifecycle.Recorded, len(templates))
	var using []int // the templates with pods
	for i, t := range templates {
		if t.Replicas > 0 {
			using = append(using, i)
		}
	}
	if len(using) == 0 || len(recorded) == 0 {
		return out
	}
	if groups := byHash(recorded); len(groups) == len(using) {
		for _, i := range using {
			// A group of exactly the right size is preferred.
			g := max(0, slices.IndexFunc(groups, func(g []lifecycle.Recorded) bool { return templates[i].Counted && len(g) == templates[i].Replicas }))
			out[i] = groups[g]
			groups = slices.Delete(groups, g, g+1)
		}
		return out
	}
	rest := recorded
	for n, i := range using {
		count := min(templates[i].Replicas, len(rest))
		if n == len(using)-1 {
			count = len(rest)
		}
		out[i], rest = rest[:count], rest[count:]
	}
	return out
}

// byHash groups lifecycles by hash, in the order of their first.
func byHash(recorded []lifecycle.Recorded) [][]lifecycle.Recorded {
	groups := map[uint64][]lifecycle.Recorded{}
	var order []uint64
	for _, r := range recorded {
		if groups[r.Hash] == nil {
			order = append(order, r.Hash)
		}
		groups[r.Hash] = append(groups[r.Hash], r)
	}
	out := make([][]lifecycle.Recorded, 0, len(order))
	for _, hash := range order {
		out = append(out, groups[hash])
	}
	return out
}
