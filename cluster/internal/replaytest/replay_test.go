package replaytest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/replay"
)

// checkProblems compares the categories of a report's problems with those wanted, in any order.
func checkProblems(t *testing.T, report replay.Report, want ...replay.Category) {
	t.Helper()
	var got []replay.Category
	for _, p := range report.Problems {
		got = append(got, p.Category)
		t.Logf("problem: %s %s %s/%s: %s: %s", p.Verb, p.GVK.Kind, p.Namespace, p.Name, p.Category, p.Message)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestRun_deployment(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{Speed: 4}, nil)
	ctx := t.Context()
	report := s.run(t, replay.Plan{}, at(t, 0, deployment("web", "shop", 2)), at(t, 2, deployment("web", "shop", 3)))
	checkProblems(t, report)
	if report.Applied != 2 || report.Events != 2 {
		t.Errorf("report = %+v, want 2 events and 2 applied", report)
	}

	got, err := env.client.AppsV1().Deployments(s.namespace("web")).Get(ctx, "shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(simkubev1.SimulatedLabels(s.name), got.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	delete(got.Annotations, "deployment.kubernetes.io/revision") // set by the controller
	if diff := cmp.Diff(map[string]string{"example.com/kept": "yes"}, got.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if len(got.OwnerReferences) != 1 || got.OwnerReferences[0].UID != s.root.UID {
		t.Errorf("owners = %v, want the root", got.OwnerReferences)
	}
	if len(got.Finalizers) > 0 {
		t.Errorf("finalizers = %v, want none", got.Finalizers)
	}
	container := got.Spec.Template.Spec.Containers[0]
	if len(container.Ports) > 0 {
		t.Errorf("ports = %v, want none", container.Ports)
	}
	if len(container.Env) != 1 || container.Env[0].Value != "2" {
		t.Errorf("env = %v, want the last of each name", container.Env)
	}

	eventually(t, "3 running pods", func(ctx context.Context) (bool, error) {
		pods, err := s.pods(ctx, "web")
		running := 0
		for _, pod := range pods {
			if pod.Status.Phase == corev1.PodRunning {
				running++
			}
		}
		return running == 3, err
	})
	pods, err := s.pods(ctx, "web")
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, pod := range pods {
		numbers = append(numbers, pod.Annotations[simkubev1.AnnotationPodSequenceNumber])
		if got, want := pod.Annotations[simkubev1.AnnotationOriginalNamespace], "web"; got != want {
			t.Errorf("original namespace = %q, want %q", got, want)
		}
		if pod.Labels[simkubev1.LabelVirtual] != "true" || pod.Labels["app"] != "shop" {
			t.Errorf("labels = %v", pod.Labels)
		}
		want := map[string]string{"type": "virtual", "kubernetes.io/hostname": "virtual-0"}
		if diff := cmp.Diff(want, pod.Spec.NodeSelector); diff != "" {
			t.Errorf("node selector (-want +got):\n%s", diff)
		}
	}
	slices.Sort(numbers)
	if diff := cmp.Diff([]string{"0", "1", "2"}, numbers); diff != "" {
		t.Errorf("sequence numbers (-want +got):\n%s", diff)
	}

	report = s.run(t, replay.Plan{}, gone(t, 0, deployment("web", "shop", 3)), gone(t, 0, deployment("web", "shop", 3)), gone(t, 0, deployment("elsewhere", "shop", 3)))
	if report.Deleted == 0 {
		t.Errorf("deleted = 0, want it deleted")
	}
	_, err = env.client.AppsV1().Deployments(s.namespace("web")).Get(ctx, "shop", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("get deleted Deployment: %v, want not found", err)
	}
	if _, err := env.client.CoreV1().Namespaces().Get(ctx, s.namespace("elsewhere"), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a delete made a namespace: %v", err)
	}
}

func TestRun_clusterScoped(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{Speed: 10}, nil)
	ctx := t.Context()
	const (
		ours    = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: replayed}, value: 1000}"
		taken   = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: foreign}, value: 5}"
		storage = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: replayed}, provisioner: example.com/none}"
		space   = "{apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {team: a, kubernetes.io/metadata.name: team}}, spec: {finalizers: [kubernetes]}}"
	)
	classes := env.client.SchedulingV1().PriorityClasses()
	taking, replayed := simkubev1.VirtualName(s.name, "foreign"), simkubev1.VirtualName(s.name, "replayed")
	foreign, err := classes.Create(ctx, newPriorityClass(taking, 7), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := classes.Delete(context.WithoutCancel(ctx), taking, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})

	pod := barePod("team", "urgent", "  priorityClassName: replayed\n")
	report := s.run(t, replay.Plan{}, at(t, 0, pod, ours, taken, storage, space), gone(t, 1, taken))
	checkProblems(t, report, replay.NotOurs, replay.NotOurs)
	now, err := classes.Get(ctx, taking, metav1.GetOptions{})
	if err != nil || now.UID != foreign.UID || now.Value != 7 || len(now.Labels) > 0 {
		t.Errorf("foreign class = %v, %v; want it untouched", now, err)
	}
	got, err := env.client.CoreV1().Pods(s.namespace("team")).Get(ctx, "urgent", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Spec.Priority == nil || *got.Spec.Priority != 1000 {
		t.Errorf("priority = %v, want that of the replayed class", got.Spec.Priority)
	}
	if len(got.Spec.Volumes) > 0 {
		t.Errorf("volumes = %v, want none", got.Spec.Volumes)
	}
	namespace, err := env.client.CoreV1().Namespaces().Get(ctx, s.namespace("team"), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := simkubev1.SimulatedLabels(s.name)
	maps.Copy(want, map[string]string{"team": "a", corev1.LabelMetadataName: namespace.Name})
	if diff := cmp.Diff(want, namespace.Labels); diff != "" {
		t.Errorf("labels of the namespace (-want +got):\n%s", diff)
	}

	report = s.run(t, replay.Plan{}, gone(t, 0, pod, ours, storage), gone(t, 1, ours))
	checkProblems(t, report, replay.AbsentOnDelete)
	if _, err := classes.Get(ctx, replayed, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("get deleted class: %v, want not found", err)
	}
}

func TestRun_foreignNamespace(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{}, nil)
	ctx := t.Context()
	namespaces := env.client.CoreV1().Namespaces()
	name := s.namespace("real")
	_, err := namespaces.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report := s.run(t, replay.Plan{}, at(t, 0, deployment("real", "shop", 1)), gone(t, 0, deployment("real", "shop", 1)))
	checkProblems(t, report, replay.NotOurs, replay.NotOurs)
	deployments, err := env.client.AppsV1().Deployments(name).List(ctx, metav1.ListOptions{})
	if err != nil || len(deployments.Items) > 0 {
		t.Errorf("Deployments in a foreign namespace: %v, %v", deployments.Items, err)
	}
	if err := s.engine.Cleanup(ctx, nil); err != nil {
		t.Error(err)
	}
	if _, err := namespaces.Get(ctx, name, metav1.GetOptions{}); err != nil {
		t.Errorf("get foreign namespace: %v, want it kept", err)
	}
	if err := namespaces.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	eventually(t, "the namespace to go", func(ctx context.Context) (bool, error) {
		_, err := namespaces.Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

func TestRun_problems(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{Speed: 10}, nil)
	const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: batch, namespace: web, labels: {controller-uid: x, job-name: batch}}
spec:
  selector: {matchLabels: {batch.kubernetes.io/controller-uid: x}}
  template:
    metadata: {labels: {controller-uid: x, batch.kubernetes.io/controller-uid: x, job-name: batch, app: b}}
    spec: {restartPolicy: Never, containers: [{name: main, image: IMAGE}]}
`
	const unknown = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w, namespace: web}, spec: {}}"
	const invalid = "{apiVersion: v1, kind: ConfigMap, metadata: {name: Not_A_Name, namespace: web}}"
	const unknownField = "{apiVersion: v1, kind: ConfigMap, metadata: {name: strange, namespace: web}, fromTheFuture: {a: b}}"
	const scope = "{apiVersion: v1, kind: ConfigMap, metadata: {name: nowhere}}"
	report := s.run(t, replay.Plan{},
		at(t, 0, replaced(job, "IMAGE", "a"), unknown, invalid, unknownField, scope, deployment("web", "shop", 0)),
		at(t, 1, replaced(job, "IMAGE", "b")),
		gone(t, 2, unknown),
	)
	checkProblems(t, report, replay.UnknownKind, replay.UnknownKind, replay.Rejected, replay.Rejected, replay.Malformed)
	if report.Applied != 3 || report.Replaced[batchv1.SchemeGroupVersion.WithKind("Job")] != 1 {
		t.Errorf("report = %+v, want the Job twice and the Deployment", report)
	}
}

func TestRun_forcesConflicts(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{}, nil)
	ctx := t.Context()
	s.run(t, replay.Plan{}, at(t, 0, deployment("web", "shop", 0)))
	deployments := env.client.AppsV1().Deployments(s.namespace("web"))
	patch := []byte(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 9}}`)
	_, err := deployments.Patch(ctx, "shop", types.ApplyPatchType, patch, metav1.PatchOptions{FieldManager: "other", Force: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	checkProblems(t, s.run(t, replay.Plan{}, at(t, 0, deployment("web", "shop", 1))))
	got, err := deployments.Get(ctx, "shop", metav1.GetOptions{})
	if err != nil || *got.Spec.Replicas != 1 {
		t.Errorf("replicas = %v, %v; want 1", got.Spec.Replicas, err)
	}
}
