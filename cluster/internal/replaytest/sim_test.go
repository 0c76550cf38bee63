package replaytest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/trace"
)

// origin is the time of the first event of the tests' traces.
const origin = 1_700_000_000

// waitTime is how long a test waits for something that should take a moment.
const waitTime = 30 * time.Second

// sim is a simulation whose pods are mutated.
type sim struct {
	name   string
	engine *replay.Engine
	root   mutate.Root
	// alone reports whether the simulation takes the cluster for its own.
	alone bool
}

// newSim creates the root of a simulation named after the test, and cleans up after it.
func newSim(tb testing.TB, opts replay.Options, lifecycles trace.Lifecycles) *sim {
	tb.Helper()
	opts.Shared = true
	return newSimWith(tb, opts, lifecycles)
}

// newSimAlone is newSim for a simulation that takes the cluster for its own. No other test may run
// at the same time.
func newSimAlone(tb testing.TB, opts replay.Options) *sim {
	tb.Helper()
	return newSimWith(tb, opts, nil)
}

func newSimWith(tb testing.TB, opts replay.Options, lifecycles trace.Lifecycles) *sim {
	tb.Helper()
	s := &sim{alone: !opts.Shared, name: strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(tb.Name()))}
	opts.Simulation, opts.Namespaces = s.name, virtualns.New(s.name)
	engine, err := replay.New(env.config, opts)
	if err != nil {
		tb.Fatal(err)
	}
	s.engine = engine
	if s.root, err = engine.CreateRoot(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	mutator, err := mutate.New(mutate.Config{
		Simulation: s.name, Namespaces: virtualns.New(s.name), Shared: opts.Shared, Root: s.root, Speed: opts.Speed,
		Lifecycles: lifecycle.NewStore(lifecycles, nil), Owners: env.owners,
	})
	if err != nil {
		tb.Fatal(err)
	}
	env.mu.Lock()
	env.mutators[s.name] = mutator
	env.mu.Unlock()
	tb.Cleanup(func() {
		s.cleanup(tb)
		env.mu.Lock()
		delete(env.mutators, s.name)
		env.mu.Unlock()
	})
	return s
}

// cleanup cleans up and checks that nothing is left.
func (s *sim) cleanup(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	var last replay.Remaining
	started := time.Now()
	if err := s.engine.Cleanup(ctx, func(r replay.Remaining) { last = r }); err != nil {
		tb.Errorf("Cleanup() = %v", err)
	}
	tb.Logf("cleaned up in %v, last remaining: %v", time.Since(started).Round(time.Millisecond), last)
	namespaces, err := env.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, namespace := range namespaces.Items {
		// The name of another simulation may begin with this one's.
		ours := func(ref metav1.OwnerReference) bool { return ref.UID == s.root.UID }
		if strings.HasPrefix(namespace.Name, s.name+"-") && slices.ContainsFunc(namespace.OwnerReferences, ours) {
			tb.Errorf("namespace %s is left", namespace.Name)
		}
	}
	pods, err := env.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{LabelSelector: simkubev1.LabelSimulation + "=" + simkubev1.LabelValue(s.name)})
	if err != nil {
		tb.Fatal(err)
	}
	if len(pods.Items) > 0 {
		tb.Errorf("%d pods are left", len(pods.Items))
	}
}

func (s *sim) namespace(original string) string {
	if s.alone {
		return original
	}
	return simkubev1.VirtualNamespace(s.name, original)
}

// run replays events at the given seconds after the origin.
func (s *sim) run(tb testing.TB, plan replay.Plan, events ...trace.Event) replay.Report {
	tb.Helper()
	report, err := s.engine.Run(tb.Context(), planOf(plan, events))
	if err != nil {
		tb.Fatalf("Run() = %v", err)
	}
	return report
}

func planOf(plan replay.Plan, events []trace.Event) replay.Plan {
	plan.Events, plan.Origin = sequence(events), origin
	return plan
}

func sequence(events []trace.Event) iter.Seq2[*trace.Event, error] {
	return func(yield func(*trace.Event, error) bool) {
		for i := range events {
			if !yield(&events[i], nil) {
				return
			}
		}
	}
}

// at returns an event that applies manifests.
func at(tb testing.TB, seconds int64, manifests ...string) trace.Event {
	tb.Helper()
	return trace.Event{Time: origin + seconds, Applied: objects(tb, manifests)}
}

// gone returns an event that deletes manifests.
func gone(tb testing.TB, seconds int64, manifests ...string) trace.Event {
	tb.Helper()
	return trace.Event{Time: origin + seconds, Deleted: objects(tb, manifests)}
}

func objects(tb testing.TB, manifests []string) []trace.Object {
	tb.Helper()
	objects := make([]trace.Object, 0, len(manifests))
	for _, manifest := range manifests {
		json, err := yaml.YAMLToJSON([]byte(manifest))
		if err != nil {
			tb.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(json); err != nil {
			tb.Fatal(err)
		}
		object, err := trace.NewObject(u)
		if err != nil {
			tb.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

// eventually waits until f returns true.
func eventually(tb testing.TB, what string, f func(ctx context.Context) (bool, error)) {
	tb.Helper()
	err := wait.PollUntilContextTimeout(tb.Context(), 20*time.Millisecond, waitTime, true, f)
	if err != nil {
		tb.Fatalf("wait for %s: %v", what, err)
	}
}

func (s *sim) pods(ctx context.Context, namespace string) ([]corev1.Pod, error) {
	list, err := env.client.CoreV1().Pods(s.namespace(namespace)).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

func deployment(namespace, name string, replicas int) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[2]s
  namespace: %[1]s
  uid: 11111111-1111-1111-1111-111111111111
  resourceVersion: "1234"
  generation: 7
  creationTimestamp: null
  finalizers: [example.com/never]
  ownerReferences: [{apiVersion: example.com/v1, kind: App, name: app, uid: 22222222-2222-2222-2222-222222222222}]
  annotations: {deployment.kubernetes.io/revision: "41", example.com/kept: "yes"}
spec:
  replicas: %[3]d
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata:
      creationTimestamp: null
      labels: {app: %[2]s}
    spec:
      nodeSelector: {kubernetes.io/hostname: virtual-0}
      containers:
      - name: main
        image: example.com/main:1
        ports: [{containerPort: 80, hostPort: 80}, {containerPort: 80, hostPort: 80}]
        env: [{name: A, value: "1"}, {name: A, value: "2"}]
        resources: {requests: {cpu: 100m, memory: 64Mi}}
status: {replicas: 99}
`, namespace, name, replicas)
}

func barePod(namespace, name, extra string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %[2]s, namespace: %[1]s, labels: {app: bare}}
spec:
  nodeName: recorded-node
  priority: 12345
  preemptionPolicy: PreemptLowerPriority
  restartPolicy: Never
  terminationGracePeriodSeconds: 30
  containers:
  - name: main
    image: example.com/main:1
    volumeMounts: [{name: kube-api-access-abcde, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]
  volumes: [{name: kube-api-access-abcde, projected: {sources: [{serviceAccountToken: {path: token}}]}}]
%[3]s`, namespace, name, extra)
}

func podOwner(namespace, name string) trace.PodOwner {
	return trace.PodOwner{GVK: corev1.SchemeGroupVersion.WithKind("Pod"), Name: trace.NamespacedName(namespace, name)}
}

func finished(seconds int64) map[uint64][]trace.Lifecycle {
	return map[uint64][]trace.Lifecycle{1: {{State: trace.Finished, Start: origin, End: origin + seconds}}}
}

func replaced(manifest, from, to string) string { return strings.ReplaceAll(manifest, from, to) }

func newPriorityClass(name string, value int32) *schedulingv1.PriorityClass {
	return &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value}
}

// newJob returns the Job that the controller of a CronJob would create.
func newJob(name string, parent *batchv1.CronJob) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name:            name,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(parent, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
		},
		Spec: parent.Spec.JobTemplate.Spec,
	}
}
