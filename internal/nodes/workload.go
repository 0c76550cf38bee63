package nodes

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// A workload is what one version of a tracked object asks for.
type workload struct {
	uses []templateUse
	// finite workloads end by themselves (Jobs and bare pods): pods is then how many pods have to finish.
	finite bool
	pods   int
}

// templateUse is a pod template with how many of its pods run at a time.
type templateUse struct {
	template map[string]any // metadata and spec
	replicas int
	perNode  bool
	claims   bool // every pod gets persistent volume claims of its own
	bare     bool
}

// readWorkload finds the pod templates in an object and how many pods each has. The number beside a template
// (`replicas`) is taken as such for every kind, known or not: Deployments have it there, and so have a Volcano
// Job's tasks and most other kinds.
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
				// Existing traces have /spec as the path of a ReplicaSet.
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

// adjust applies what is special about known kinds.
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
			// One run at a time; what runs longer than its interval is beyond what the object tells.
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

// jobPods gives how many pods of a Job run at a time, and how many there are altogether.
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

// parent gives the map that holds the place a pointer leads to, or nil.
func parent(obj map[string]any, pointer string) map[string]any {
	end := len(pointer) - 1
	for ; end >= 0 && pointer[end] != '/'; end-- {
		// The last segment is cut off.
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

// maxReplicas is where a number of pods stops being believed: sums of it stay far from overflow.
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
