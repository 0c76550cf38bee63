package test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// deviated is the exit code of simulate with deviations and --strict.
const deviated = 3

// workloadOf returns a workload of one of Kubernetes' own kinds. pod and spec are added to the
// specifications of its pods and of itself.
func workloadOf(t *testing.T, kind schema.GroupVersionKind, namespace, name string, pod, spec map[string]any) trace.Object {
	t.Helper()
	labels := map[string]any{"app": name}
	restart := "Always"
	full := map[string]any{}
	if kind == jobKind {
		restart = "Never"
	} else {
		full["selector"] = map[string]any{"matchLabels": labels}
	}
	podSpec := podSpec(restart)
	for key, value := range pod {
		podSpec[key] = value
	}
	full["template"] = map[string]any{"metadata": map[string]any{"labels": labels}, "spec": podSpec}
	for key, value := range spec {
		full[key] = value
	}
	return manifestOf(t, map[string]any{
		"apiVersion": kind.GroupVersion().String(), "kind": kind.Kind,
		"metadata": map[string]any{"namespace": namespace, "name": name}, "spec": full,
	})
}

func replicas(n int64) map[string]any { return map[string]any{"replicas": n} }

func completions(n int64) map[string]any {
	return map[string]any{"parallelism": n, "completions": n}
}

// finishedPods returns the lifecycles of a number of pods that ran so many seconds.
func finishedPods(count int, seconds int64) map[uint64][]trace.Lifecycle {
	out := map[uint64][]trace.Lifecycle{}
	for range count {
		out[1] = append(out[1], trace.Lifecycle{State: trace.Finished, Start: traceStart + 6, End: traceStart + 6 + seconds})
	}
	return out
}

// Every difference from the recording is a deviation of its own category, with the number of pods
// or objects. What runs as recorded is none, and neither are more pods than recorded if the trace
// asks for them.
func TestSimulate_Deviations(t *testing.T) {
	t.Parallel()
	statefulSetKind := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}
	namespace := func(name string, labels map[string]any) trace.Object {
		return manifestOf(t, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name, "labels": labels}})
	}
	nowhere := map[string]any{"affinity": map[string]any{"nodeAffinity": map[string]any{
		"requiredDuringSchedulingIgnoredDuringExecution": map[string]any{"nodeSelectorTerms": []any{map[string]any{"matchExpressions": []any{
			map[string]any{"key": "disk", "operator": "In", "values": []any{"ssd"}},
			map[string]any{"key": "disk", "operator": "NotIn", "values": []any{"ssd"}},
		}}}},
	}}}
	impatient := completions(2)
	impatient["activeDeadlineSeconds"] = int64(20)
	mismatched := map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"app": "another"}}}
	lifecycles := trace.Lifecycles{}
	for name, pods := range map[string]map[uint64][]trace.Lifecycle{
		"equal": finishedPods(2, 30), "early": finishedPods(2, 90), "absent": finishedPods(5, 30), "asked": finishedPods(1, 30),
	} {
		lifecycles[trace.PodOwner{GVK: jobKind, Name: "shop/" + name}] = pods
	}
	tracked := trace.TrackedObject{PodSpecTemplatePaths: []string{"/spec/template"}, TrackLifecycle: true}
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
			deploymentKind: {PodSpecTemplatePaths: tracked.PodSpecTemplatePaths}, statefulSetKind: {PodSpecTemplatePaths: tracked.PodSpecTemplatePaths}, jobKind: tracked,
		}},
		Events: []trace.Event{
			{Time: traceStart, Applied: []trace.Object{
				namespace("shop", nil), namespace("full", nil),
				namespace("secure", map[string]any{"pod-security.kubernetes.io/enforce": "restricted"}),
				manifestOf(t, map[string]any{
					"apiVersion": "v1", "kind": "ResourceQuota", "metadata": map[string]any{"namespace": "full", "name": "pods"},
					"spec": map[string]any{"hard": map[string]any{"pods": "1"}},
				}),
			}},
			{Time: traceStart + 5, Applied: []trace.Object{
				workloadOf(t, deploymentKind, "full", "web", nil, replicas(3)),
				workloadOf(t, statefulSetKind, "secure", "db", nil, replicas(2)),
				workloadOf(t, jobKind, "shop", "urgent", map[string]any{"priorityClassName": "urgent"}, nil),
				workloadOf(t, deploymentKind, "shop", "nowhere", nowhere, replicas(2)),
				workloadOf(t, deploymentKind, "shop", "mismatched", nil, mismatched),
				workloadOf(t, deploymentKind, "shop", "fine", nil, replicas(2)),
				workloadOf(t, jobKind, "shop", "equal", nil, completions(2)),
				workloadOf(t, jobKind, "shop", "early", nil, impatient),
				workloadOf(t, jobKind, "shop", "absent", nil, completions(2)),
				workloadOf(t, jobKind, "shop", "asked", nil, completions(4)),
			}},
			{Time: traceStart + 120},
		},
		Lifecycles: lifecycles,
	}
	file := filepath.Join(t.TempDir(), "deviations.sktrace")
	if err := tr.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"notCreated Deployment full/web":              2,
		"notCreated StatefulSet secure/db":            2,
		"notCreated Job shop/urgent":                  1,
		"notPlaced Deployment shop/nowhere":           2,
		"rejected apps/v1.Deployment shop/mismatched": 1,
		"notRun Job shop/absent":                      3,
		"endedEarly Job shop/early":                   2,
	}
	for _, run := range []struct {
		args []string
		code int
	}{{nil, done}, {[]string{"--strict"}, deviated}} {
		s := newSandbox(t)
		r := s.skctl(append([]string{"simulate", file, "-o", "out"}, run.args...)...)
		r.check(t, run.code)
		if lines := strings.Split(strings.TrimSpace(r.stdout), "\n"); lines[len(lines)-1] != "replayed with 7 deviations" {
			t.Errorf("the last line is %q", lines[len(lines)-1])
		}
		got := map[string]int{}
		for _, d := range summary(t, filepath.Join(s.dir, "out")).Outcome.Deviations.First {
			got[d.Category+" "+d.Subject()] += d.Count
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("deviations (-want +got):\n%s", diff)
		}
	}
}
