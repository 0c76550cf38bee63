package standin

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/workload"
	"simkube.io/simkube/trace"
)

func counted(replicas int) workload.Template {
	return workload.Template{Replicas: replicas, Counted: true}
}

func TestMissing(t *testing.T) {
	suspended, job := counted(0), counted(2)
	suspended.Suspended, job.Completions = true, 5
	for name, c := range map[string]struct {
		template         workload.Template
		scheduled, known bool
		due, made        int
		active, finished int
		want             int
	}{
		"none yet":                            {template: counted(3), want: 3},
		"all there":                           {template: counted(3), made: 3, active: 3},
		"one was deleted":                     {template: counted(3), made: 3, active: 2, want: 1},
		"completed":                           {template: counted(3), made: 3, active: 1, finished: 2},
		"all completed":                       {template: counted(3), known: true, due: 3, made: 3, finished: 3},
		"scaled up":                           {template: counted(5), made: 3, active: 3, want: 2},
		"scaled down":                         {template: counted(1), made: 3, active: 3, want: -2},
		"scaled down and up":                  {template: counted(3), known: true, due: 3, made: 3, active: 1, want: 2},
		"completed, and recorded again":       {template: counted(2), known: true, due: 3, made: 2, finished: 2, want: 1},
		"completed, and recorded again later": {template: counted(2), known: true, due: 2, made: 2, finished: 2},
		"as often as recorded":                {template: counted(2), known: true, due: 3, made: 3, finished: 3},
		"deleted and replaced, as recorded":   {template: counted(2), known: true, due: 3, made: 3, active: 1, finished: 1},
		"suspended":                           {template: suspended, made: 3, active: 2, finished: 1, want: -2},
		"completions, at first":               {template: job, want: 2},
		"completions, later":                  {template: job, made: 4, active: 1, finished: 3, want: 1},
		"completions, the last":               {template: job, made: 5, active: 1, finished: 4},
		"completions, done":                   {template: job, made: 5, finished: 5},
		"no number, nothing recorded":         {template: workload.Template{Replicas: 1}, want: 1},
		"no number, two recorded so far":      {template: workload.Template{Replicas: 1}, known: true, due: 2, made: 1, active: 1, want: 1},
		"no number, as many as recorded":      {template: workload.Template{Replicas: 1}, known: true, due: 2, made: 2, finished: 1},
		"a schedule":                          {template: counted(4), scheduled: true},
		"a schedule with a recorded run":      {template: counted(4), scheduled: true, known: true, due: 4, want: 4},
	} {
		t.Run(name, func(t *testing.T) {
			have := &tally{finished: c.finished, pending: c.active}
			if got := missing(&c.template, c.scheduled, c.known, c.due, c.made, have); got != c.want {
				t.Errorf("missing() = %d, want %d", got, c.want)
			}
		})
	}
}

func at(hash uint64, number int, start int64) lifecycle.Recorded {
	return lifecycle.Recorded{Lifecycle: trace.Lifecycle{State: trace.Running, Start: start}, Hash: hash, Number: number}
}

func TestStarted(t *testing.T) {
	recorded := []lifecycle.Recorded{at(1, 0, 10), {Hash: 1, Number: 1}, at(1, 2, 20), at(1, 3, 30)}
	for _, c := range []struct {
		now, next int64
		due       int
	}{{5, 10, 0}, {10, 20, 2}, {25, 30, 3}, {30, 0, 4}} {
		if due, next := started(recorded, c.now); due != c.due || next != c.next {
			t.Errorf("started(%d) = %d, %d, want %d, %d", c.now, due, next, c.due, c.next)
		}
	}
}

func TestShare(t *testing.T) {
	byHash := []lifecycle.Recorded{at(7, 0, 1), at(8, 0, 2), at(8, 1, 2), at(8, 2, 3)}
	each := []lifecycle.Recorded{at(1, 0, 1), at(2, 0, 2), at(3, 0, 3), at(4, 0, 4)}
	for name, c := range map[string]struct {
		templates []workload.Template
		recorded  []lifecycle.Recorded
		want      [][]uint64
	}{
		"by hash":                     {[]workload.Template{counted(1), counted(3)}, byHash, [][]uint64{{7}, {8, 8, 8}}},
		"by hash, in another order":   {[]workload.Template{counted(3), counted(1)}, byHash, [][]uint64{{8, 8, 8}, {7}}},
		"a template without pods":     {[]workload.Template{counted(0), counted(1), counted(3)}, byHash, [][]uint64{nil, {7}, {8, 8, 8}}},
		"every pod has its own hash":  {[]workload.Template{counted(1), counted(2)}, each, [][]uint64{{1}, {2, 3, 4}}},
		"fewer recorded than counted": {[]workload.Template{counted(3), counted(2)}, each, [][]uint64{{1, 2, 3}, {4}}},
		"nothing recorded":            {[]workload.Template{counted(3)}, nil, [][]uint64{nil}},
	} {
		t.Run(name, func(t *testing.T) {
			var got [][]uint64
			for _, part := range share(c.templates, c.recorded) {
				var hashes []uint64
				for _, r := range part {
					hashes = append(hashes, r.Hash)
				}
				got = append(got, hashes)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("hashes by template (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLeastNeeded(t *testing.T) {
	pod := func(name string, minute int) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(time.Unix(int64(minute)*60, 0))},
			Spec:       corev1.PodSpec{NodeName: "n"},
		}
	}
	waiting := pod("waiting", 1)
	waiting.Spec.NodeName = ""
	finished := func(end int64, ending lifecycle.Ending) lifecycle.Recorded {
		return lifecycle.Recorded{Lifecycle: trace.Lifecycle{State: trace.Finished, Start: 1, End: end}, Ending: ending}
	}
	lifecycles := map[types.UID]lifecycle.Recorded{
		"completes": finished(100, lifecycle.Completes), "removed": finished(200, lifecycle.RunsOn), "removed-first": finished(150, lifecycle.RunsOn),
	}
	pods := []*corev1.Pod{pod("old", 1), pod("completes", 2), pod("removed", 3), pod("removed-first", 3), waiting, pod("young", 5)}
	var got []string
	for len(pods) > 0 {
		least := leastNeeded(pods, lifecycles)
		got = append(got, least.Name)
		for i := range pods {
			if pods[i] == least {
				pods = append(pods[:i], pods[i+1:]...)
				break
			}
		}
	}
	if diff := cmp.Diff([]string{"waiting", "removed-first", "removed", "young", "old", "completes"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestPodOf(t *testing.T) {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget",
		"metadata": map[string]any{"name": "w", "namespace": "ns", "uid": "u"},
	}}
	template := workload.Template{Pointer: "/spec/template", Value: map[string]any{
		"metadata": map[string]any{"name": "other", "labels": map[string]any{"app": "w"}},
		"spec":     map[string]any{"restartPolicy": "Never"},
	}}
	recorded := at(77, 3, 0)
	pod := podOf(object, &template, &recorded)
	want := map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{
			"generateName": "w-", "namespace": "ns",
			"labels": map[string]any{"app": "w", simkubev1.LabelStandIn: "true"},
			"annotations": map[string]any{
				simkubev1.AnnotationStandInTemplate:   "/spec/template",
				simkubev1.AnnotationPodSpecStableHash: "77", simkubev1.AnnotationPodSequenceNumber: "3",
			},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "u", "controller": true, "blockOwnerDeletion": true,
			}},
		},
		"spec": map[string]any{"restartPolicy": "Never"},
	}
	if diff := cmp.Diff(want, pod.Object); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	if len(template.Value["metadata"].(map[string]any)["labels"].(map[string]any)) != 1 {
		t.Error("the template was changed")
	}
}
