package mutate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/trace"
)

const rootUID = types.UID("root")

var now = time.Date(2026, 11, 1, 12, 0, 0, 500_000_000, time.UTC)

// owners is an OwnerGetter with the objects of a cluster by UID.
type owners struct {
	objects map[types.UID]*metav1.PartialObjectMetadata
	calls   atomic.Int32
	err     error
}

func (o *owners) GetOwner(_ context.Context, ref metav1.OwnerReference, _ string) (*metav1.PartialObjectMetadata, error) {
	o.calls.Add(1)
	if o.err != nil {
		return nil, o.err
	}
	object := o.objects[ref.UID]
	if object == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "things"}, ref.Name)
	}
	return object, nil
}

func (o *owners) add(namespace, name string, refs ...metav1.OwnerReference) {
	o.objects[types.UID(name)] = &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(name), OwnerReferences: refs,
	}}
}

func ref(apiVersion, kind, name string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, UID: types.UID(name)}
}

var toRoot = metav1.OwnerReference{APIVersion: "simkube.io/v1", Kind: "SimulationRoot", Name: "r", UID: rootUID}

// simulated returns a cluster with a CronJob and its Job, a Deployment and its ReplicaSet, and a
// cluster-scoped Widget, all of the simulation, and a Job that is not.
func simulated() *owners {
	o := &owners{objects: map[types.UID]*metav1.PartialObjectMetadata{}}
	o.add("virtual-ns", "cron", toRoot)
	o.add("virtual-ns", "cron-1", ref("batch/v1", "CronJob", "cron"))
	o.add("virtual-ns", "shop", toRoot)
	o.add("virtual-ns", "shop-abc", ref("apps/v1", "Deployment", "shop"))
	o.add("", "widget", toRoot)
	o.add("virtual-ns", "foreign")
	o.add("virtual-ns", "loop-a", ref("v1", "Loop", "loop-b"))
	o.add("virtual-ns", "loop-b", ref("v1", "Loop", "loop-a"))
	return o
}

func newMutator(t *testing.T, o *owners, change func(*Config)) *Mutator {
	t.Helper()
	cfg := Config{
		Simulation: "sim", Root: Root{Name: "r", UID: rootUID}, Owners: o, Shared: true,
		Clock: clocktesting.NewFakePassiveClock(now),
	}
	if change != nil {
		change(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newPod(name string, refs ...metav1.OwnerReference) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "virtual-ns", Name: name, OwnerReferences: refs},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "x"}}},
	}
}

func mutated(t *testing.T, m *Mutator, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	changed, err := m.Mutate(t.Context(), pod)
	if err != nil {
		t.Fatal(err)
	}
	if !changed {
		t.Fatal("the pod is not changed")
	}
	return pod
}

func recorded(kind schema.GroupVersionKind, name string, byHash map[uint64][]trace.Lifecycle) func(*Config) {
	return func(c *Config) {
		c.Lifecycles = lifecycle.NewStore(trace.Lifecycles{{GVK: kind, Name: name}: byHash}, nil)
	}
}

func finished(seconds int64) trace.Lifecycle {
	return trace.Lifecycle{State: trace.Finished, Start: 1000, End: 1000 + seconds}
}

var (
	cronJob = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}
	podKind = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
)

func TestMutate(t *testing.T) {
	m := newMutator(t, simulated(), func(c *Config) {
		recorded(cronJob, "ns/cron", map[uint64][]trace.Lifecycle{1: {finished(30)}})(c)
		c.Speed = 4
		c.Delays = Delays{ImagePull: time.Second, ImagePullJitter: 500 * time.Millisecond, PodStartupJitter: 2 * time.Second}
	})
	pod := newPod("cron-1-x", ref("batch/v1", "Job", "cron-1"))
	pod.Spec.NodeSelector = map[string]string{"type": "recorded", "disk": "ssd"}
	pod.Spec.NodeName = "real"
	mutated(t, m, pod)

	if diff := cmp.Diff(simkubev1.SimulatedLabels("sim"), without(pod.Labels, simkubev1.LabelStageComplete)); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	hash := pod.Annotations[simkubev1.AnnotationPodSpecStableHash]
	if hash == "" || hash == "0" {
		t.Errorf("hash = %q", hash)
	}
	want := map[string]string{
		simkubev1.AnnotationOriginalNamespace:     "ns",
		simkubev1.AnnotationPodSpecStableHash:     hash,
		simkubev1.AnnotationPodSequenceNumber:     "0",
		simkubev1.AnnotationStageCreateDelay:      "250ms",
		simkubev1.AnnotationStageReadyDelay:       "0s",
		simkubev1.AnnotationStageReadyDelayJitter: "500ms",
		simkubev1.AnnotationStageCompleteAfter:    "7.5s",
		simkubev1.AnnotationStageCompleteTime:     "2026-11-01T12:00:08Z",
	}
	if diff := cmp.Diff(want, pod.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if pod.Labels[simkubev1.LabelStageComplete] != "true" {
		t.Errorf("labels = %v, want it to complete", pod.Labels)
	}
	if diff := cmp.Diff(map[string]string{"type": "virtual", "disk": "ssd"}, pod.Spec.NodeSelector); diff != "" {
		t.Errorf("node selector (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]corev1.Toleration{Toleration()}, pod.Spec.Tolerations); diff != "" {
		t.Errorf("tolerations (-want +got):\n%s", diff)
	}
	if pod.Spec.NodeName != "" {
		t.Errorf("node name = %q, want none", pod.Spec.NodeName)
	}

	t.Run("again", func(t *testing.T) {
		once := pod.DeepCopy()
		changed, err := m.Mutate(t.Context(), pod)
		if changed || err != nil {
			t.Errorf("Mutate() = %t, %v; want no change", changed, err)
		}
		if diff := cmp.Diff(once, pod); diff != "" {
			t.Errorf("changed all the same (-once +twice):\n%s", diff)
		}
	})
	t.Run("next", func(t *testing.T) {
		next := mutated(t, m, newPod("cron-1-y", ref("batch/v1", "Job", "cron-1")))
		if got := next.Annotations[simkubev1.AnnotationPodSequenceNumber]; got != "1" {
			t.Errorf("number = %s, want 1", got)
		}
	})
}

func without(m map[string]string, key string) map[string]string {
	delete(m, key)
	defer func() { m[key] = "true" }()
	copied := map[string]string{}
	for k, v := range m {
		copied[k] = v
	}
	return copied
}

func TestMutate_leavesOthersAlone(t *testing.T) {
	for name, refs := range map[string][]metav1.OwnerReference{
		"no owner":       nil,
		"other owner":    {ref("batch/v1", "Job", "foreign")},
		"another root":   {{APIVersion: "simkube.io/v1", Kind: "SimulationRoot", Name: "r", UID: "other"}},
		"owner's circle": {ref("v1", "Loop", "loop-a")},
	} {
		t.Run(name, func(t *testing.T) {
			o := simulated()
			o.objects["other"] = &metav1.PartialObjectMetadata{}
			m := newMutator(t, o, nil)
			pod := newPod("p", refs...)
			before := pod.DeepCopy()
			changed, err := m.Mutate(t.Context(), pod)
			if changed || err != nil {
				t.Errorf("Mutate() = %t, %v", changed, err)
			}
			if diff := cmp.Diff(before, pod); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestMutate_ownersInDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		namespace string
		err       error
		refused   bool
	}{
		"vanished, in a simulated namespace": {"virtual-ns", nil, true},
		"vanished, elsewhere":                {"default", nil, false},
		"no answer, elsewhere":               {"default", errors.New("no answer"), true},
	} {
		t.Run(name, func(t *testing.T) {
			o := simulated()
			o.err = c.err
			pod := newPod("p", ref("batch/v1", "Job", "vanished"))
			pod.Namespace = c.namespace
			changed, err := newMutator(t, o, nil).Mutate(t.Context(), pod)
			if changed || (err != nil) != c.refused {
				t.Errorf("Mutate() = %t, %v; want refused %t", changed, err, c.refused)
			}
		})
	}
}

// A controller that has not seen yet that an owner was deleted creates another pod for it.
func TestMutate_ownerDeleted(t *testing.T) {
	for _, deleted := range []string{"shop", "shop-abc"} {
		t.Run(deleted, func(t *testing.T) {
			o := simulated()
			m := newMutator(t, o, nil)
			pod := func() *corev1.Pod { return newPod("p", ref("apps/v1", "ReplicaSet", "shop-abc")) }
			mutated(t, m, pod())
			m.Deleted(types.UID(deleted))
			// It may have a finalizer, and still exist.
			mutated(t, m, pod())
			delete(o.objects, types.UID(deleted))
			changed, err := m.Mutate(t.Context(), pod())
			if changed || err == nil || !OwnerGone("Error creating: "+err.Error()) {
				t.Errorf("Mutate() = %t, %v; want an error about the owner", changed, err)
			}
		})
	}
}

func TestMutate_barePods(t *testing.T) {
	m := newMutator(t, simulated(), func(c *Config) {
		c.Lifecycles = lifecycle.NewStore(trace.Lifecycles{
			{GVK: podKind, Name: "ns/one"}: {1: {finished(10)}},
			{GVK: podKind, Name: "ns/two"}: {1: {{State: trace.Running, Start: 5}}},
		}, nil)
	})
	clone := func(name, original string) *corev1.Pod {
		pod := newPod(name, toRoot)
		pod.Annotations = map[string]string{simkubev1.AnnotationOriginalOwner: original}
		return pod
	}
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"finishes":                {newPod("one", toRoot), "10s"},
		"clone, full name":        {clone("one-clone-1", "ns/one"), "10s"},
		"clone, name only":        {clone("one-clone-2", "one"), "10s"},
		"runs until deleted":      {newPod("two", toRoot), ""},
		"nothing recorded":        {newPod("three", toRoot), ""},
		"only named like a clone": {newPod("one-clone-3", toRoot), ""},
	} {
		t.Run(name, func(t *testing.T) {
			mutated(t, m, c.pod)
			if got := c.pod.Annotations[simkubev1.AnnotationStageCompleteAfter]; got != c.want {
				t.Errorf("completes after %q, want %q", got, c.want)
			}
		})
	}
}

// TestMutate_numbersByHash checks that the pods of an unknown kind, which may have several types,
// are counted by hash.
func TestMutate_numbersByHash(t *testing.T) {
	m := newMutator(t, simulated(), nil)
	number := func(kind, name, host string) string {
		pod := newPod("", ref("example.com/v1", kind, name))
		pod.Spec.Hostname = host
		if kind == "ReplicaSet" {
			pod.OwnerReferences[0].APIVersion = "apps/v1"
		}
		return mutated(t, m, pod).Annotations[simkubev1.AnnotationPodSequenceNumber]
	}
	for i, c := range []struct{ kind, name, host, want string }{
		{"Widget", "widget", "a", "0"},
		{"Widget", "widget", "b", "0"},
		{"Widget", "widget", "a", "1"},
		{"ReplicaSet", "shop-abc", "a", "0"},
		{"ReplicaSet", "shop-abc", "b", "1"},
	} {
		if got := number(c.kind, c.name, c.host); got != c.want {
			t.Errorf("pod %d has number %s, want %s", i, got, c.want)
		}
	}
}

func TestPreview(t *testing.T) {
	m := newMutator(t, simulated(), nil)
	for range 3 {
		pod := newPod("x", ref("batch/v1", "Job", "cron-1"))
		if _, err := m.Preview(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
		if got := pod.Annotations[simkubev1.AnnotationPodSequenceNumber]; got != "0" {
			t.Errorf("number = %s, want 0", got)
		}
	}
}

func TestMutate_concurrent(t *testing.T) {
	o := simulated()
	m := newMutator(t, o, nil)
	const pods = 200
	numbers := make([]string, pods)
	var group sync.WaitGroup
	for i := range pods {
		group.Go(func() {
			pod := newPod("", ref("apps/v1", "ReplicaSet", "shop-abc"))
			if _, err := m.Mutate(t.Context(), pod); err != nil {
				t.Error(err)
			}
			numbers[i] = pod.Annotations[simkubev1.AnnotationPodSequenceNumber]
		})
	}
	group.Wait()
	slices.Sort(numbers)
	if distinct := slices.Compact(numbers); len(distinct) != pods {
		t.Errorf("%d distinct numbers for %d pods", len(distinct), pods)
	}
	before := o.calls.Load()
	mutated(t, m, newPod("", ref("apps/v1", "ReplicaSet", "shop-abc")))
	if calls := o.calls.Load() - before; calls != 0 {
		t.Errorf("%d look-ups of owners that are known, want none", calls)
	}
}

// TestMutate_adopted checks that an owner that is not part of a simulation may be adopted by one
// later.
func TestMutate_adopted(t *testing.T) {
	o := simulated()
	m := newMutator(t, o, nil)
	if changed, err := m.Mutate(t.Context(), newPod("", ref("batch/v1", "Job", "foreign"))); changed || err != nil {
		t.Fatalf("Mutate() = %t, %v", changed, err)
	}
	o.add("virtual-ns", "foreign", toRoot)
	mutated(t, m, newPod("", ref("batch/v1", "Job", "foreign")))
}

func TestNew_invalid(t *testing.T) {
	_, err := New(Config{Speed: -1})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"no simulation name", "no root", "owner getter", "speed -1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

// In a cluster of its own, a pod is placed as it was recorded, and every pod is one of the
// simulation.
func TestMutate_verbatim(t *testing.T) {
	o := simulated()
	o.add("default", "shop", toRoot)
	m := newMutator(t, o, func(c *Config) { c.Shared = false })
	for name, refs := range map[string][]metav1.OwnerReference{"of an owner": {ref("apps/v1", "Deployment", "shop")}, "without one": nil} {
		t.Run(name, func(t *testing.T) {
			pod := newPod("p", refs...)
			pod.Namespace = "default"
			pod.Spec.NodeSelector = map[string]string{"type": "gpu"}
			pod.Spec.NodeName = "recorded"
			want := pod.Spec.DeepCopy()
			want.NodeName = ""
			mutated(t, m, pod)
			if diff := cmp.Diff(*want, pod.Spec); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
			if got := pod.Annotations[simkubev1.AnnotationOriginalNamespace]; got != "default" {
				t.Errorf("original namespace = %q, want default", got)
			}
			if pod.Labels[simkubev1.LabelSimulation] != "sim" {
				t.Errorf("labels = %v, want those of the simulation", pod.Labels)
			}
		})
	}
}

// TestMutate_interrupted checks a pod that something outside of the trace deleted: it is deleted
// after the same time, and does not complete.
func TestMutate_interrupted(t *testing.T) {
	owner := trace.PodOwner{GVK: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}, Name: "ns/shop-abc"}
	history := lifecycle.NewHistory()
	history.Apply(1000, owner, lifecycle.Version{Pods: 1, RunsOn: true})
	m := newMutator(t, simulated(), func(c *Config) {
		c.Lifecycles = lifecycle.NewStore(trace.Lifecycles{owner: {1: {finished(30), {State: trace.Running, Start: 1031}}}}, history)
	})
	first := mutated(t, m, newPod("", ref("apps/v1", "ReplicaSet", "shop-abc")))
	if first.Labels[simkubev1.LabelStageInterrupt] != "true" || first.Annotations[simkubev1.AnnotationStageCompleteAfter] != "30s" {
		t.Errorf("labels %v and annotations %v, want an interruption after 30s", first.Labels, first.Annotations)
	}
	if first.Labels[simkubev1.LabelStageComplete] != "" {
		t.Error("the pod completes")
	}
	second := mutated(t, m, newPod("", ref("apps/v1", "ReplicaSet", "shop-abc")))
	if second.Annotations[simkubev1.AnnotationStageCompleteAfter] != "" {
		t.Errorf("the pod that replaced it ends: %v", second.Annotations)
	}
}
