package workload

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Workload is the pods that one version of an object asks for.
type Workload struct {
	Templates []Template
	// Finite reports whether the workload ends by itself, as Jobs and bare pods do. Pods is then the
	// number of pods that have to finish.
	Finite bool
	Pods   int
	// Scheduled reports whether the pods are made at times that the object names, as for a CronJob.
	// The numbers are then those of one run.
	Scheduled bool
}

// Template is a pod template of an object.
type Template struct {
	// Pointer is the JSON pointer to the template in the object.
	Pointer string
	// Value has the metadata and the spec of the pods. It is a part of the object.
	Value map[string]any
	// Replicas is how many pods of the template run at a time. Counted reports whether the object says
	// so; otherwise Replicas is 1.
	Replicas int
	Counted  bool
	// Completions is the number of pods that have to complete, after which no more are made. 0 means
	// that there is no such number.
	Completions int
	// Suspended reports whether the object asks for no pods at present. Replicas is then 0.
	Suspended bool
	// PerNode reports whether there is one pod on each node; Replicas is then 1.
	PerNode bool
	// Bare reports whether the object is the pod.
	Bare bool
}

// Read returns the pods that an object asks for. The paths are those of its kind's pod templates,
// see [trace.Config.PodSpecTemplatePaths].
func Read(gvk schema.GroupVersionKind, obj map[string]any, paths []string) (Workload, error) {
	var found Workload
	for _, path := range paths {
		locations, err := trace.ResolvePaths(obj, path)
		if err != nil {
			return Workload{}, err
		}
		for _, location := range locations {
			if value, ok := location.Value.(map[string]any); ok {
				found.add(gvk, obj, location.Pointer, value)
			}
		}
	}
	found.adjust(gvk, obj)
	return found, nil
}

// Replicas returns how many pods of all templates run at a time.
func (w *Workload) Replicas() int {
	sum := 0
	for _, t := range w.Templates {
		sum += t.Replicas
	}
	return sum
}

// RunsOn reports whether the containers of the template's pods are always restarted, so that its
// pods do not complete by themselves.
func (t *Template) RunsOn() bool {
	spec, _ := t.Value["spec"].(map[string]any)
	policy, ok := spec["restartPolicy"].(string)
	return !ok || policy == "" || policy == "Always"
}

// GracePeriod returns how many seconds the template's pods have to end.
func (t *Template) GracePeriod() int64 {
	const byDefault = 30
	spec, _ := t.Value["spec"].(map[string]any)
	if n, ok := integer(spec["terminationGracePeriodSeconds"]); ok {
		return int64(n)
	}
	return byDefault
}

func (w *Workload) add(gvk schema.GroupVersionKind, obj map[string]any, pointer string, value map[string]any) {
	if inner, ok := value["template"].(map[string]any); ok && gvk.Kind == "ReplicaSet" {
		// Existing traces use /spec as the path of a ReplicaSet's template.
		pointer, value = pointer+"/template", inner
	}
	c := countPods(obj, pointer)
	w.Scheduled = w.Scheduled || c.scheduled
	t := Template{
		Pointer: pointer, Value: value, Replicas: c.replicas, Counted: c.counted,
		Completions: c.completions, Suspended: c.suspended,
	}
	w.Templates = append(w.Templates, t)
}

// adjust applies what is known about some kinds.
func (w *Workload) adjust(gvk schema.GroupVersionKind, obj map[string]any) {
	spec, _ := obj["spec"].(map[string]any)
	for i := range w.Templates {
		t := &w.Templates[i]
		switch gvk.GroupKind() {
		case schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
			t.PerNode, t.Replicas, t.Counted = true, 1, true
		case schema.GroupKind{Group: "batch", Kind: "Job"}:
			w.Finite = true
			t.Replicas, w.Pods = jobPods(spec)
		case schema.GroupKind{Group: "batch", Kind: "CronJob"}:
			// The number of pods of one run. The object does not determine whether runs overlap.
			jobTemplate, _ := spec["jobTemplate"].(map[string]any)
			job, _ := jobTemplate["spec"].(map[string]any)
			t.Replicas, _ = jobPods(job)
			if suspended, _ := spec["suspend"].(bool); suspended {
				t.Replicas = 0
			}
		case schema.GroupKind{Kind: "Pod"}:
			w.Finite, w.Pods = true, 1
			t.Bare, t.Replicas, t.Counted = true, 1, true
		case schema.GroupKind{Kind: "PodTemplate"}:
			t.Replicas, t.Counted = 0, true // nothing makes pods from it
		case schema.GroupKind{Group: "leaderworkerset.x-k8s.io", Kind: "LeaderWorkerSet"}:
			groups, ok := integer(spec["replicas"])
			if !ok {
				groups = 1
			}
			t.Replicas, t.Counted = groups*groupSize(spec, t.Pointer), true
		case schema.GroupKind{Group: "ray.io", Kind: "RayCluster"},
			schema.GroupKind{Group: "ray.io", Kind: "RayJob"},
			schema.GroupKind{Group: "ray.io", Kind: "RayService"}:
			if hosts, ok := integer(parent(obj, t.Pointer)["numOfHosts"]); ok {
				t.Replicas *= hosts
			}
		}
		t.Replicas = min(t.Replicas, maxReplicas)
		if t.Suspended {
			t.Replicas = 0
		}
	}
	w.countRest()
}

// countRest counts the templates without a number as one pod each if another template of the object
// has one: the head of a cluster, or the driver of an application.
func (w *Workload) countRest() {
	counted := false
	for _, t := range w.Templates {
		counted = counted || t.Counted
	}
	for i := range w.Templates {
		w.Templates[i].Counted = counted
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

// groupSize returns how many pods of a template one group of a LeaderWorkerSet has. Without a
// template of their own, leaders are made from that of the workers.
func groupSize(spec map[string]any, pointer string) int {
	group, _ := spec["leaderWorkerTemplate"].(map[string]any)
	size, ok := integer(group["size"])
	if !ok {
		size = 1
	}
	_, hasLeader := group["leaderTemplate"].(map[string]any)
	switch {
	case pointer == "/spec/leaderWorkerTemplate/leaderTemplate":
		return 1
	case hasLeader:
		return max(0, size-1)
	}
	return size
}
