package nodes

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// workload is the pods of one version of a tracked object.
type workload struct {
	uses []templateUse
	// finite is whether the workload ends by itself (Jobs and bare pods); pods is then the number of
	// pods that have to finish.
	finite bool
	pods   int
}

// templateUse is a pod template with the number of its pods that run at a time.
type templateUse struct {
	template map[string]any // metadata and spec
	replicas int
	perNode  bool
	claims   bool // whether every pod gets its own persistent volume claims
	bare     bool
}

// readWorkload returns the pod templates of an object and their numbers of pods. A field replicas
// beside a template is used for every kind, known or not: Deployments, the tasks of a Volcano Job
// and most other kinds have it there.
func readWorkload(gvk schema.GroupVersionKind, obj map[string]any, paths []string) (workload, error) {
	var found workload
	for _, path := range paths {
		locations, err := trace.ResolvePaths(obj, path)
		if err != nil {
			return workload{}, err
		}
		for _, location := range locations {
			template, ok := location.Value.(map[string]any)
			if !ok {
				continue
			}
			use := templateUse{template: template, replicas: 1}
			beside := parent(obj, location.Pointer)
			if _, ok := template["template"].(map[string]any); ok && gvk.Kind == "ReplicaSet" {
				// Existing traces use /spec as the path of a ReplicaSet's template.
				beside, use.template = template, template["template"].(map[string]any)
			}
			if n, ok := integer(beside["replicas"]); ok {
				use.replicas = n
			}
			found.uses = append(found.uses, use)
		}
	}
	found.adjust(gvk, obj)
	return found, nil
}

// adjust applies the special cases of known kinds.
func (w *workload) adjust(gvk schema.GroupVersionKind, obj map[string]any) {
	spec, _ := obj["spec"].(map[string]any)
	for i := range w.uses {
		use := &w.uses[i]
		switch gvk.GroupKind() {
		case schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
			use.perNode, use.replicas = true, 1
		case schema.GroupKind{Group: "apps", Kind: "StatefulSet"}:
			claims, _ := spec["volumeClaimTemplates"].([]any)
			use.claims = len(claims) > 0
		case schema.GroupKind{Group: "batch", Kind: "Job"}:
			w.finite = true
			use.replicas, w.pods = jobPods(spec)
		case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
			// The number of pods of one run. The object does not determine whether runs overlap.
			jobTemplate, _ := spec["jobTemplate"].(map[string]any)
			job, _ := jobTemplate["spec"].(map[string]any)
			use.replicas, _ = jobPods(job)
			if suspended, _ := spec["suspend"].(bool); suspended {
				use.replicas = 0
			}
		case schema.GroupKind{Kind: "Pod"}:
			w.finite, w.pods, use.bare = true, 1, true
		}
	}
}

// jobPods returns how many pods of a Job run at a time, and how many it has in total.
func jobPods(spec map[string]any) (atATime, total int) {
	parallelism, ok := integer(spec["parallelism"])
	if !ok {
		parallelism = 1
	}
	completions, ok := integer(spec["completions"])
	if !ok {
		completions = parallelism
	}
	if suspended, _ := spec["suspend"].(bool); suspended {
		return 0, completions
	}
	return min(parallelism, completions), completions
}

// parent returns the map that contains the value at a pointer, or nil.
func parent(obj map[string]any, pointer string) map[string]any {
	end := len(pointer) - 1
	for ; end >= 0 && pointer[end] != '/'; end-- {
	}
	if end < 0 {
		return nil
	}
	locations, err := trace.ResolvePaths(obj, pointer[:end])
	if err != nil || len(locations) != 1 {
		return nil
	}
	value, _ := locations[0].Value.(map[string]any)
	return value
}

// maxReplicas limits numbers of pods, so that sums do not overflow.
const maxReplicas = 10_000_000

func integer(v any) (int, bool) {
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case float64:
		n = int64(max(min(v, maxReplicas), 0))
	default:
		return 0, false
	}
	return int(max(min(n, maxReplicas), 0)), true
}
