package tracertest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// taskJobs is a kind like Volcano's Job: each of its tasks has a pod template.
const taskJobs = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: jobs.batch.example.com}
spec:
  group: batch.example.com
  scope: Namespaced
  names: {plural: jobs, singular: job, kind: Job}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

var (
	taskJobKind     = schema.GroupVersionKind{Group: "batch.example.com", Version: "v1alpha1", Kind: "Job"}
	taskJobResource = schema.GroupVersionResource{Group: "batch.example.com", Version: "v1alpha1", Resource: "jobs"}
)

// task is a pod template of a job with the number of its pods, and how long they run.
type task struct {
	name  string
	pods  int
	image string
	runs  time.Duration
}

// TestTasks checks that the pods of several templates of one object are distinguished by their
// hash.
func TestTasks(t *testing.T) {
	installCRD(t, taskJobs)
	nodesFor(t, "tasks", 2)
	namespace := newNamespace(t, "tasks")
	tasks := []task{{"ps", 2, "example.com/ps:1", 4 * time.Second}, {"worker", 5, "example.com/worker:1", 8 * time.Second}}
	r := record(t, &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		taskJobKind: {PodSpecTemplatePaths: []string{"/spec/tasks/*/template"}, TrackLifecycle: true},
	}}, nil)

	start := time.Now()
	job := newTaskJob(t, namespace, tasks)
	makePods(t, job, tasks)
	eventually(t, "all pods to finish", func() bool {
		pods, err := env.client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, pod := range pods.Items {
			if pod.Status.Phase == corev1.PodSucceeded {
				done++
			}
		}
		return done == 7
	})
	// The tracer receives changes shortly after the API server has them.
	var recorded *trace.Trace
	owner := trace.PodOwner{GVK: taskJobKind, Name: namespace + "/train"}
	eventually(t, "the lifecycles to be recorded", func() bool {
		recorded = r.export(t, start.Add(-time.Second), time.Now().Add(time.Second), simkubev1.ExportFilters{})
		finished := 0
		for _, list := range recorded.Lifecycles[owner] {
			for _, l := range list {
				if l.State == trace.Finished {
					finished++
				}
			}
		}
		return finished == 7
	})

	// Each template has its own hash, with as many lifecycles as it has pods, each as long as the
	// template specifies.
	want := map[int]time.Duration{} // by the number of pods of a template
	for _, task := range tasks {
		want[task.pods] = task.runs
	}
	if len(recorded.Lifecycles[owner]) != len(tasks) {
		t.Fatalf("got the hashes %v, want %d", slices.Collect(maps.Keys(recorded.Lifecycles[owner])), len(tasks))
	}
	for hash, list := range recorded.Lifecycles[owner] {
		for _, l := range list {
			if got := time.Duration(l.End-l.Start) * time.Second; want[len(list)] == 0 || (got-want[len(list)]).Abs() > time.Second {
				t.Errorf("%d pods with the hash %d ran for %s", len(list), hash, got)
			}
		}
	}
	found := false
	for _, e := range recorded.Events {
		for i := range e.Applied {
			found = found || e.Applied[i].GVK() == taskJobKind
		}
	}
	if !found {
		t.Error("the job itself is not in the trace")
	}
}

func newTaskJob(t *testing.T, namespace string, tasks []task) *unstructured.Unstructured {
	t.Helper()
	var templates []any
	for _, task := range tasks {
		template, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&corev1.PodTemplateSpec{Spec: podSpec(task)})
		if err != nil {
			t.Fatal(err)
		}
		templates = append(templates, map[string]any{"name": task.name, "replicas": int64(task.pods), "template": template})
	}
	job, err := env.dynamic.Resource(taskJobResource).Namespace(namespace).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "batch.example.com/v1alpha1", "kind": "Job", "metadata": map[string]any{"name": "train"},
		"spec": map[string]any{"tasks": templates},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// makePods creates pods as the job's controller would.
func makePods(t *testing.T, job *unstructured.Unstructured, tasks []task) {
	t.Helper()
	for _, task := range tasks {
		for i := range task.pods {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{
					Name:            fmt.Sprintf("train-%s-%d", task.name, i),
					OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, taskJobKind)},
					Labels:          map[string]string{simkubev1.LabelStageComplete: "true"},
					Annotations: map[string]string{
						simkubev1.AnnotationStageCompleteTime: time.Now().Add(task.runs).UTC().Format(time.RFC3339Nano),
					},
				},
				Spec: podSpec(task),
			}
			if _, err := env.client.CoreV1().Pods(job.GetNamespace()).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func podSpec(task task) corev1.PodSpec {
	return corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		NodeSelector:  map[string]string{simkubev1.LabelNodeType: simkubev1.NodeTypeVirtual},
		Tolerations:   []corev1.Toleration{{Key: simkubev1.TaintKwokProvider, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
		Containers:    []corev1.Container{{Name: "main", Image: task.image}},
	}
}
