package workload

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

// TestRead checks the number of pods of each template, and whether the object states it.
func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		kind   string
		object string
		paths  []string
		want   []int
		// uncounted is set for objects that do not say how many pods they have.
		uncounted, scheduled bool
	}{
		"a Deployment": {kind: "apps/v1.Deployment", object: `{spec: {replicas: 3, template: {}}}`, want: []int{3}},
		"a Deployment without a number": {
			kind: "apps/v1.Deployment", object: `{spec: {template: {}}}`, want: []int{1}, uncounted: true,
		},
		"a replication controller": {
			kind: "v1.ReplicationController", object: `{spec: {replicas: 2, template: {}}}`, paths: []string{"/spec/template"}, want: []int{2},
		},
		"a pod template makes no pods": {
			kind: "v1.PodTemplate", object: `{template: {spec: {}}}`, paths: []string{"/template"}, want: []int{0},
		},
		"a Job": {kind: "batch/v1.Job", object: `{spec: {parallelism: 2, completions: 5, template: {}}}`, want: []int{2}},
		"a suspended Job": {
			kind: "batch/v1.Job", object: `{spec: {suspend: true, parallelism: 2, template: {}}}`, want: []int{0},
		},
		"a CronJob": {
			kind: "batch/v1.CronJob", object: `{spec: {schedule: "* * * * *", jobTemplate: {spec: {parallelism: 4, completions: 4, template: {}}}}}`,
			want: []int{4}, scheduled: true,
		},
		"tasks beside their templates": {
			kind: "batch.volcano.sh/v1alpha1.Job", object: `{spec: {minAvailable: 9, tasks: [{replicas: 6, template: {}}, {template: {}}]}}`,
			paths: []string{"/spec/tasks/*/template"}, want: []int{6, 1},
		},
		"a head and groups of workers": {
			kind:   "ray.io/v1.RayCluster",
			object: `{spec: {headGroupSpec: {template: {}}, workerGroupSpecs: [{replicas: 9, minReplicas: 1, maxReplicas: 4, template: {}}, {minReplicas: 2, numOfHosts: 3, template: {}}, {replicas: 5, suspend: true, template: {}}]}}`,
			paths:  []string{"/spec/headGroupSpec/template", "/spec/workerGroupSpecs/*/template"}, want: []int{1, 4, 6, 0},
		},
		"replicas by role, suspended as a whole": {
			kind:   "kubeflow.org/v1.PyTorchJob",
			object: `{spec: {runPolicy: {suspend: true}, pytorchReplicaSpecs: {Master: {replicas: 1, template: {}}, Worker: {replicas: 3, template: {}}}}}`,
			paths:  []string{"/spec/pytorchReplicaSpecs/Master/template", "/spec/pytorchReplicaSpecs/Worker/template"}, want: []int{0, 0},
		},
		"replicas by role": {
			kind:   "kubeflow.org/v1.PyTorchJob",
			object: `{spec: {runPolicy: {suspend: false}, pytorchReplicaSpecs: {Master: {template: {}}, Worker: {replicas: 3, template: {}}}}}`,
			paths:  []string{"/spec/pytorchReplicaSpecs/Master/template", "/spec/pytorchReplicaSpecs/Worker/template"}, want: []int{1, 3},
		},
		"instances of executors and one driver": {
			kind:   "sparkoperator.k8s.io/v1beta2.SparkApplication",
			object: `{spec: {driver: {template: {}}, executor: {instances: 7, template: {}}}}`,
			paths:  []string{"/spec/driver/template", "/spec/executor/template"}, want: []int{1, 7},
		},
		"so many replicas of a Job's template": {
			kind:   "jobset.x-k8s.io/v1alpha2.JobSet",
			object: `{spec: {replicatedJobs: [{replicas: 3, template: {spec: {parallelism: 2, completions: 2, template: {}}}}, {template: {spec: {parallelism: 5, completions: 5, template: {}}}}, {replicas: 2, template: {spec: {template: {}}}}]}}`,
			paths:  []string{"/spec/replicatedJobs/*/template/spec/template"}, want: []int{6, 5, 2},
		},
		"groups of a leader and workers": {
			kind:   "leaderworkerset.x-k8s.io/v1.LeaderWorkerSet",
			object: `{spec: {replicas: 3, leaderWorkerTemplate: {size: 4, leaderTemplate: {}, workerTemplate: {}}}}`,
			paths:  []string{"/spec/leaderWorkerTemplate/leaderTemplate", "/spec/leaderWorkerTemplate/workerTemplate"}, want: []int{3, 9},
		},
		"groups of equals": {
			kind:   "leaderworkerset.x-k8s.io/v1.LeaderWorkerSet",
			object: `{spec: {leaderWorkerTemplate: {size: 4, workerTemplate: {}}}}`,
			paths:  []string{"/spec/leaderWorkerTemplate/leaderTemplate", "/spec/leaderWorkerTemplate/workerTemplate"}, want: []int{4},
		},
		"node sets with a count": {
			kind: "elasticsearch.k8s.elastic.co/v1.Elasticsearch", object: `{spec: {nodeSets: [{count: 3, podTemplate: {}}]}}`,
			paths: []string{"/spec/nodeSets/*/podTemplate"}, want: []int{3},
		},
		"nothing said": {
			kind: "example.com/v1.Thing", object: `{spec: {a: {template: {}}, b: {template: {}}}}`,
			paths: []string{"/spec/a/template", "/spec/b/template"}, want: []int{1, 1}, uncounted: true,
		},
		"a schedule": {
			kind: "sparkoperator.k8s.io/v1beta2.ScheduledSparkApplication", object: `{spec: {schedule: "@daily", template: {executor: {instances: 2, template: {}}}}}`,
			paths: []string{"/spec/template/executor/template"}, want: []int{2}, scheduled: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			gvk, err := trace.ParseGVK(c.kind)
			if err != nil {
				t.Fatal(err)
			}
			config := trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{gvk: {PodSpecTemplatePaths: c.paths}}}
			load, err := Read(gvk, parse(t, c.object), config.PodSpecTemplatePaths(gvk))
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, template := range load.Templates {
				got = append(got, template.Replicas)
				if template.Counted == c.uncounted {
					t.Errorf("template %s: Counted = %t", template.Pointer, template.Counted)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("replicas (-want +got):\n%s", diff)
			}
			if load.Scheduled != c.scheduled {
				t.Errorf("Scheduled = %t", load.Scheduled)
			}
		})
	}
}

func TestRead_completions(t *testing.T) {
	gvk := schema.GroupVersionKind{Group: "jobset.x-k8s.io", Version: "v1alpha2", Kind: "JobSet"}
	load, err := Read(gvk,
		parse(t, `{spec: {jobs: [{replicas: 3, template: {spec: {parallelism: 2, completions: 5, template: {}}}}]}}`),
		[]string{"/spec/jobs/*/template/spec/template"})
	if err != nil {
		t.Fatal(err)
	}
	if got := load.Templates[0]; got.Replicas != 6 || got.Completions != 15 {
		t.Errorf("%d replicas and %d completions, want 6 and 15", got.Replicas, got.Completions)
	}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := json.Unmarshal(data, &u.Object); err != nil {
		t.Fatal(err)
	}
	return u.Object
}
