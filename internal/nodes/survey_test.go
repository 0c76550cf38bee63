package nodes

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

var (
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	jobKind        = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}
	podKind        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	volcanoKind    = schema.GroupVersionKind{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"}
)

func testConfig() *trace.Config {
	return &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		deploymentKind: {},
		volcanoKind:    {PodSpecTemplatePaths: []string{"/spec/tasks/*/template"}},
	}}
}

// object returns an object of a trace from YAML.
func object(t testing.TB, text string) trace.Object {
	t.Helper()
	var u unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	data, err := u.MarshalJSON() // for int64 in place of float64
	if err != nil {
		t.Fatal(err)
	}
	if err := u.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	o, err := trace.NewObject(&u)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// podSpec returns the JSON of a pod spec with requests and further fields.
func podSpec(cpu, memory, more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{containers: [{name: c, image: i, resources: {requests: {cpu: %q, memory: %q}}}]%s}`, cpu, memory, more)
}

func deployment(t testing.TB, name string, replicas int, spec string) trace.Object {
	return object(t, fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: prod, name: %s},
		spec: {replicas: %d, template: {metadata: {labels: {app: %s}}, spec: %s}}}`, name, replicas, name, spec))
}

func daemonSet(t testing.TB, name, spec string) trace.Object {
	return object(t, fmt.Sprintf(`{apiVersion: apps/v1, kind: DaemonSet, metadata: {namespace: prod, name: %s},
		spec: {template: {spec: %s}}}`, name, spec))
}

func barePod(t testing.TB, name, spec string) trace.Object {
	return object(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {namespace: prod, name: %s}, spec: %s}`, name, spec))
}

// noon is the time of the first event in the tests.
const noon = 1_767_268_800 // 2026-01-01 12:00 UTC

// survey returns the demand of events one minute apart.
func survey(lifecycles trace.Lifecycles, events ...trace.Event) *Demand {
	s := NewSurvey(testConfig())
	for i := range events {
		events[i].Time = noon + int64(60*i)
		s.Add(&events[i])
	}
	return s.Demand(lifecycles)
}

func applied(objects ...trace.Object) trace.Event { return trace.Event{Applied: objects} }

// history returns the demand after every change: "12:01 3 pods 1.5 cores".
func history(d *Demand) []string {
	var out []string
	d.walk(func(int) bool { return true }, func(now *snapshot) {
		out = append(out, fmt.Sprintf("%s %s, %s", now.time.Format("15:04:05"),
			formatAmount(corev1.ResourcePods, now.total[corev1.ResourcePods]), formatAmount(corev1.ResourceCPU, now.total[corev1.ResourceCPU])))
	})
	return out
}

func TestSurvey_History(t *testing.T) {
	small := podSpec("500m", "1Gi", "")
	job := func(more string) trace.Object {
		return object(t, `{apiVersion: batch/v1, kind: Job, metadata: {namespace: prod, name: load}, spec: {template: {spec: `+small+`}`+more+`}}`)
	}
	finished := func(owner trace.PodOwner, seconds ...int64) trace.Lifecycles {
		var list []trace.Lifecycle
		for _, s := range seconds {
			list = append(list, trace.Lifecycle{State: trace.Finished, Start: 5, End: 5 + s})
		}
		return trace.Lifecycles{owner: {7: list}}
	}
	theJob := trace.PodOwner{GVK: jobKind, Name: "prod/load"}
	thePod := trace.PodOwner{GVK: podKind, Name: "prod/one"}
	tests := []struct {
		name       string
		events     []trace.Event
		lifecycles trace.Lifecycles
		want       []string
	}{
		{
			name: "deployment scales, changes nothing, rolls out and goes",
			events: []trace.Event{
				applied(deployment(t, "api", 2, small)), applied(deployment(t, "api", 5, small)), applied(deployment(t, "api", 5, small)),
				applied(deployment(t, "api", 5, podSpec("1", "1Gi", ""))),
				{Deleted: []trace.Object{deployment(t, "api", 5, small)}},
			},
			want: []string{"12:00:00 2 pods, 1 core", "12:01:00 5 pods, 2.5 cores", "12:03:00 5 pods, 5 cores", "12:04:00 0 pods, 0 cores"},
		},
		{
			name:   "replicas default to 1",
			events: []trace.Event{applied(object(t, `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {template: {spec: `+small+`}}}`))},
			want:   []string{"12:00:00 1 pod, 0.5 cores"},
		},
		{
			name:   "replica set under the old path",
			events: []trace.Event{applied(object(t, `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: s}, spec: {replicas: 3, template: {spec: `+small+`}}}`))},
			want:   []string{"12:00:00 3 pods, 1.5 cores"},
		},
		{
			name:   "daemon sets are not among the totals",
			events: []trace.Event{applied(daemonSet(t, "agent", small))},
			want:   []string{"12:00:00 0 pods, 0 cores"},
		},
		{
			name:   "cron job runs one job at a time",
			events: []trace.Event{applied(object(t, `{apiVersion: batch/v1, kind: CronJob, metadata: {name: s}, spec: {jobTemplate: {spec: {parallelism: 4, completions: 2, template: {spec: `+small+`}}}}}`))},
			want:   []string{"12:00:00 2 pods, 1 core"},
		},
		{
			name:   "volcano tasks have their replicas beside the template",
			events: []trace.Event{applied(object(t, `{apiVersion: batch.volcano.sh/v1alpha1, kind: Job, metadata: {name: v}, spec: {tasks: [{replicas: 3, template: {spec: `+small+`}}, {template: {spec: `+podSpec("2", "1Gi", "")+`}}]}}`))},
			want:   []string{"12:00:00 4 pods, 3.5 cores"},
		},
		{
			name:   "kinds without templates do not count",
			events: []trace.Event{applied(object(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}`))},
			want:   nil,
		},
		{
			name:   "job without lifecycles lasts until it is deleted",
			events: []trace.Event{applied(job(", parallelism: 2, completions: 3")), {}, {Deleted: []trace.Object{job("")}}},
			want:   []string{"12:00:00 2 pods, 1 core", "12:02:00 0 pods, 0 cores"},
		},
		{
			name:       "job ends when the last of its pods does",
			events:     []trace.Event{applied(job(", parallelism: 2, completions: 3")), {}, {Deleted: []trace.Object{job("")}}},
			lifecycles: finished(theJob, 30, 10, 25),
			want:       []string{"12:00:00 2 pods, 1 core", "12:00:35 0 pods, 0 cores"},
		},
		{
			name:   "suspended job",
			events: []trace.Event{applied(job(", suspend: true")), applied(job(", suspend: false"))},
			want:   []string{"12:01:00 1 pod, 0.5 cores"},
		},
		{
			name: "a pod that comes twice uses its lifecycles in turn",
			events: []trace.Event{
				applied(barePod(t, "one", small)),
				{Deleted: []trace.Object{barePod(t, "one", small)}},
				applied(barePod(t, "one", small)),
			},
			lifecycles: finished(thePod, 10, 20),
			want:       []string{"12:00:00 1 pod, 0.5 cores", "12:00:10 0 pods, 0 cores", "12:02:00 1 pod, 0.5 cores", "12:02:20 0 pods, 0 cores"},
		},
		{
			name:       "a pod that was still running",
			events:     []trace.Event{applied(barePod(t, "one", small))},
			lifecycles: trace.Lifecycles{thePod: {7: {{State: trace.Running, Start: 5}}}},
			want:       []string{"12:00:00 1 pod, 0.5 cores"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, history(survey(test.lifecycles, test.events...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSurvey_Requests(t *testing.T) {
	tests := []struct {
		name, spec string
		want       amounts
	}{
		{
			"containers add up", `{containers: [{resources: {requests: {cpu: 100m}}}, {resources: {requests: {cpu: "1", memory: 1Gi}}}]}`,
			amounts{"cpu": 1100, "memory": 1 << 30, "pods": 1},
		},
		{
			"the largest init container counts", `{containers: [{resources: {requests: {cpu: 100m}}}], initContainers: [{resources: {requests: {cpu: "2"}}}, {resources: {requests: {cpu: "1"}}}]}`,
			amounts{"cpu": 2000, "pods": 1},
		},
		{
			"sidecars add to the containers", `{containers: [{resources: {requests: {cpu: 100m}}}], initContainers: [{restartPolicy: Always, resources: {requests: {cpu: 200m}}}, {resources: {requests: {cpu: 250m}}}]}`,
			amounts{"cpu": 450, "pods": 1},
		},
		{
			"overhead", `{containers: [{resources: {requests: {cpu: 100m}}}], overhead: {cpu: 50m, memory: 10Mi}}`,
			amounts{"cpu": 150, "memory": 10 << 20, "pods": 1},
		},
		{
			"limits stand in for requests", `{containers: [{resources: {limits: {cpu: "2", nvidia.com/gpu: 1}, requests: {cpu: "1"}}}]}`,
			amounts{"cpu": 1000, "nvidia.com/gpu": 1, "pods": 1},
		},
		{"of the whole pod", `{resources: {requests: {cpu: "3"}}, containers: [{resources: {requests: {cpu: "1"}}}]}`, amounts{"cpu": 3000, "pods": 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			demand := survey(nil, applied(deployment(t, "api", 1, test.spec)))
			if diff := cmp.Diff(test.want, demand.templates[0].requests); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSurvey_Admission holds that pods request what the API server adds to them.
func TestSurvey_Admission(t *testing.T) {
	const kata = `{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: kata}, handler: kata,
		overhead: {podFixed: {cpu: 250m}}, scheduling: {nodeSelector: {kata: "yes"}, tolerations: [{key: kata}]}}`
	const limits = `{apiVersion: v1, kind: LimitRange, metadata: {namespace: prod, name: %s}, spec: {limits: [{type: Pod, max: {cpu: 9}}, {type: Container, %s}]}}`
	const spec = `{runtimeClassName: kata, nodeSelector: {disk: ssd}, containers: [{}, {resources: {limits: {cpu: "3"}}}]}`
	demand := survey(nil, applied(deployment(t, "api", 1, spec), object(t, kata),
		object(t, fmt.Sprintf(limits, "a", `default: {cpu: 2, memory: 1Gi}, defaultRequest: {cpu: 1}`)),
		object(t, fmt.Sprintf(limits, "b", `default: {cpu: 7, ephemeral-storage: 1Gi}`))))
	template := demand.templates[0]
	want := amounts{"cpu": 1000 + 3000 + 250, "memory": 2 << 30, "ephemeral-storage": 2 << 30, "pods": 1}
	if diff := cmp.Diff(want, template.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"kata": "yes", "disk": "ssd"}, template.pod.Spec.NodeSelector); diff != "" {
		t.Errorf("selector (-want +got):\n%s", diff)
	}
	if tolerations := template.pod.Spec.Tolerations; len(tolerations) != 1 || tolerations[0].Key != "kata" {
		t.Errorf("tolerations: got %v, want that of the class", tolerations)
	}
	removed := trace.Event{Applied: []trace.Object{deployment(t, "api", 1, "{containers: [{}]}")}}
	gone := trace.Event{Deleted: []trace.Object{object(t, fmt.Sprintf(limits, "a", `min: {cpu: 1}`))}}
	demand = survey(nil, applied(object(t, fmt.Sprintf(limits, "a", `min: {cpu: 1}`))), gone, removed)
	if diff := cmp.Diff(amounts{"pods": 1}, demand.templates[0].requests); diff != "" {
		t.Errorf("requests without the LimitRange (-want +got):\n%s", diff)
	}
}

func TestSurvey_OneTemplateForAllThatScheduleAlike(t *testing.T) {
	demand := survey(nil, applied(
		deployment(t, "api", 1, podSpec("1", "1Gi", "serviceAccountName: api")),
		deployment(t, "web", 2, podSpec("1", "1Gi", "volumes: [{name: kube-api-access-xyz, projected: {}}]")),
		barePod(t, "one", podSpec("1", "1Gi", "nodeName: worker-3")),
	))
	if got, want := len(demand.templates), 1; got != want {
		t.Errorf("got %d templates, want %d", got, want)
	}
}

func TestSurvey_Notes(t *testing.T) {
	demand := survey(nil, applied(
		deployment(t, "api", 1, podSpec("1", "1Gi", "schedulerName: volcano")),
		deployment(t, "first", 1, podSpec("1", "1Gi", "priorityClassName: gold, runtimeClassName: gvisor")),
		deployment(t, "second", 1, podSpec("1", "1Gi", "priorityClassName: silver")),
		deployment(t, "third", 1, podSpec("1", "1Gi", "priorityClassName: system-cluster-critical")),
		object(t, `{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: silver}}`),
		deployment(t, "bad", 1, `{containers: "none"}`),
		deployment(t, "gate", 1, podSpec("1", "1Gi", "schedulingGates: [{name: a}]")),
	))
	want := []string{
		"apps/v1.Deployment prod/bad is left out of the node check: read the pod template: cannot restore slice from string",
		"pods of apps/v1.Deployment prod/gate have scheduling gates: they stay pending until something removes the gates",
		`pods of apps/v1.Deployment prod/first need the PriorityClass "gold", which is not in the trace: the API server rejects them unless it is created in another way`,
		`pods of apps/v1.Deployment prod/first need the RuntimeClass "gvisor", which is not in the trace: the API server rejects them unless it is created in another way`,
		`pods of apps/v1.Deployment prod/api use the scheduler "volcano": they stay pending unless the scheduler configuration has a profile of that name`,
	}
	if diff := cmp.Diff(want, demand.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestDemand_Peaks(t *testing.T) {
	demand := survey(
		nil,
		applied(deployment(t, "cpu", 2, podSpec("4", "1Gi", ""))),
		applied(deployment(t, "memory", 1, podSpec("1", "64Gi", ""))),
		applied(deployment(t, "cpu", 1, podSpec("4", "1Gi", "")), deployment(t, "many", 5, podSpec("100m", "1Mi", ""))),
	)
	var got []string
	for _, now := range demand.peaks(func(int) bool { return true }, amountsOf(defaultResources())) {
		got = append(got, demand.describe(&now))
	}
	want := []string{"peak at 12:01 UTC: 3 pods, 9 cores, 66 GiB", "peak at 12:02 UTC: 7 pods, 5.5 cores, 65 GiB"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want := time.Unix(noon, 0).UTC(); !demand.Start.Equal(want) {
		t.Errorf("got start %s, want %s", demand.Start, want)
	}
}
