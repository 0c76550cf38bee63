package stagetest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"
	"sigs.k8s.io/kwok/pkg/utils/lifecycle"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/config"
)

// player applies the stages of a kind.
type player struct {
	lifecycle.Lifecycle
	renderer gotpl.Renderer
}

// stages returns the stages of a kind as KWOK loads them.
func stages(tb testing.TB, kind string) player {
	tb.Helper()
	var out []*internalversion.Stage
	for _, file := range config.Stages() {
		var stage v1alpha1.Stage
		if err := yaml.UnmarshalStrict(file.Data, &stage); err != nil {
			tb.Fatalf("%s: %v", file.Name, err)
		}
		if stage.Spec.ResourceRef.Kind != kind {
			continue
		}
		internal, err := internalversion.ConvertToInternalStage(&stage)
		if err != nil {
			tb.Fatalf("%s: %v", file.Name, err)
		}
		out = append(out, internal)
	}
	lc, err := lifecycle.NewLifecycle(out)
	if err != nil {
		tb.Fatal(err)
	}
	return player{Lifecycle: lc, renderer: renderer()}
}

// renderer has the functions that KWOK's controllers add to templates.
func renderer() gotpl.Renderer {
	return gotpl.NewRenderer(gotpl.FuncMap{
		"NodeIP":     func() string { return "10.0.0.1" },
		"NodeIPWith": func(string) string { return "10.0.0.1" },
		"PodIPWith":  func(string, bool, string, string, string) string { return "10.1.0.1" },
	})
}

// step is what KWOK does with an object.
type step struct {
	stage   string
	delays  []time.Duration // the bounds of the delay, which is random
	deleted bool
	patches [][]byte
}

// next returns the stage that matches, or none. It fails the test if several match, of which KWOK
// would choose one at random.
func next(tb testing.TB, lc player, object any, meta metav1.ObjectMeta, now time.Time) step {
	tb.Helper()
	event := &lifecycle.Event{Labels: meta.Labels, Annotations: meta.Annotations, Data: object}
	matching, err := lc.ListAllPossible(tb.Context(), event)
	if err != nil {
		tb.Fatal(err)
	}
	if len(matching) == 0 {
		return step{}
	}
	if len(matching) > 1 {
		tb.Fatalf("%d stages match, %s and %s among them", len(matching), matching[0].Name(), matching[1].Name())
	}
	stage := matching[0]
	out := step{stage: stage.Name()}
	if out.delays, _, err = stage.DelayRangePossible(tb.Context(), event, now); err != nil {
		tb.Fatal(err)
	}
	_, err = stage.DoSteps(0, meta.Finalizers, object, lc.renderer, nil,
		func() error { out.deleted = true; return nil },
		func(patch *lifecycle.Patch) error { out.patches = append(out.patches, patch.Data); return nil }, nil)
	if err != nil {
		tb.Fatalf("stage %s: %v", stage.Name(), err)
	}
	return out
}

// patched returns the object with the step's patches, as the API server would apply them.
func patched[T any](tb testing.TB, object *T, s step) *T {
	tb.Helper()
	data, err := json.Marshal(object)
	if err != nil {
		tb.Fatal(err)
	}
	for _, patch := range s.patches {
		if data, err = strategicpatch.StrategicMergePatch(data, patch, *new(T)); err != nil {
			tb.Fatalf("patch %s: %v", patch, err)
		}
	}
	out := new(T)
	if err := json.Unmarshal(data, out); err != nil {
		tb.Fatal(err)
	}
	return out
}

func newPod(edit func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", UID: "u"},
		Spec: corev1.PodSpec{
			NodeName:       "node",
			InitContainers: []corev1.Container{{Name: "init", Image: "i"}, {Name: "side", Image: "s", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}},
			// YAML reads this name as a number, and the image needs quotes.
			Containers:     []corev1.Container{{Name: "123", Image: `reg:5000/a"b: c`}},
			ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "example.com/gate"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	edit(pod)
	return pod
}

func annotate(pod *corev1.Pod, pairs ...string) {
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	for pair := range slices.Chunk(pairs, 2) {
		pod.Annotations[pair[0]] = pair[1]
	}
}

func deleting(pod *corev1.Pod, finalizers ...string) {
	now := metav1.Now()
	pod.DeletionTimestamp, pod.Finalizers = &now, finalizers
}

func completing(pod *corev1.Pod) {
	pod.Labels = map[string]string{simkubev1.LabelStageComplete: "true"}
	pod.Status.Phase = corev1.PodRunning
}

// TestPod_Stage checks which stage a pod enters, and after which delay.
func TestPod_Stage(t *testing.T) {
	lc := stages(t, "Pod")
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	const jobFinalizer = "batch.kubernetes.io/job-tracking"
	for name, tc := range map[string]struct {
		edit  func(*corev1.Pod)
		stage string
		// from and to bound the delay; to is from unless set.
		from, to time.Duration
		deleted  bool
	}{
		"plain": {func(*corev1.Pod) {}, "pod-ready", 0, 0, false},
		"ready delay": {func(p *corev1.Pod) {
			annotate(p, simkubev1.AnnotationStageReadyDelay, "250ms")
		}, "pod-ready", 250 * time.Millisecond, 0, false},
		"ready delay with jitter": {func(p *corev1.Pod) {
			annotate(p, simkubev1.AnnotationStageReadyDelay, "250ms", simkubev1.AnnotationStageReadyDelayJitter, "1s")
		}, "pod-ready", 250 * time.Millisecond, time.Second, false},
		"create delay": {func(p *corev1.Pod) {
			annotate(p, simkubev1.AnnotationStageCreateDelay, "1m30s", simkubev1.AnnotationStageCreateDelayJitter, "2m", simkubev1.AnnotationStageReadyDelay, "1s")
		}, "pod-create", 90 * time.Second, 2 * time.Minute, false},
		"created": {func(p *corev1.Pod) {
			annotate(p, simkubev1.AnnotationStageCreateDelay, "1m", simkubev1.AnnotationStageReadyDelay, "1s")
			p.Status.PodIP = "10.1.0.1"
		}, "pod-ready", time.Second, 0, false},
		"running": {func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning }, "", 0, 0, false},
		"ends at a time": {func(p *corev1.Pod) {
			completing(p)
			annotate(p, simkubev1.AnnotationStageCompleteTime, now.Add(time.Hour).Format(time.RFC3339))
		}, "pod-complete", time.Hour, 0, false},
		"ends after a while": {func(p *corev1.Pod) {
			completing(p)
			annotate(p, simkubev1.AnnotationStageCompleteTime, now.Add(time.Hour).Format(time.RFC3339))
			p.Status.Conditions = []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, Message: "not a time"},
				{Type: simkubev1.ConditionCompletes, Status: corev1.ConditionTrue, Message: now.Add(1500 * time.Millisecond).Format(time.RFC3339Nano)},
			}
		}, "pod-complete", 1500 * time.Millisecond, 0, false},
		"interrupted": {func(p *corev1.Pod) {
			p.Labels = map[string]string{simkubev1.LabelStageInterrupt: "true"}
			p.Status.Phase = corev1.PodRunning
			p.Status.Conditions = []corev1.PodCondition{
				{Type: simkubev1.ConditionCompletes, Status: corev1.ConditionTrue, Message: now.Add(time.Minute).Format(time.RFC3339Nano)},
			}
		}, "pod-interrupt", time.Minute, 0, true},
		"interrupted before it runs": {func(p *corev1.Pod) {
			p.Labels = map[string]string{simkubev1.LabelStageInterrupt: "true"}
		}, "pod-ready", 0, 0, false},
		"ends at once":               {completing, "pod-complete", 0, 0, false},
		"succeeded":                  {func(p *corev1.Pod) { completing(p); p.Status.Phase = corev1.PodSucceeded }, "", 0, 0, false},
		"deleted":                    {func(p *corev1.Pod) { completing(p); deleting(p) }, "pod-delete", 0, 0, true},
		"deleted, foreign finalizer": {func(p *corev1.Pod) { deleting(p, "example.com/x") }, "pod-release", 0, 0, true},
		"deleted, of a Job":          {func(p *corev1.Pod) { deleting(p, jobFinalizer, "example.com/x") }, "pod-stop", 0, 0, false},
		"stopped, of a Job":          {func(p *corev1.Pod) { deleting(p, jobFinalizer); p.Status.Phase = corev1.PodFailed }, "", 0, 0, false},
		"deleted in the foreground":  {func(p *corev1.Pod) { deleting(p, "foregroundDeletion") }, "", 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			pod := newPod(tc.edit)
			got := next(t, lc, pod, pod.ObjectMeta, now)
			if got.stage != tc.stage || got.deleted != tc.deleted {
				t.Errorf("stage is %q (deletes: %v), want %q (%v)", got.stage, got.deleted, tc.stage, tc.deleted)
			}
			if len(got.delays) == 0 {
				got.delays = []time.Duration{0}
			}
			if to := max(tc.from, tc.to); got.delays[0] != tc.from || got.delays[len(got.delays)-1] != to {
				t.Errorf("delay is drawn from %v, want %v to %v", got.delays, tc.from, to)
			}
		})
	}
}

// TestPod_Life follows a pod that has every delay from its scheduling to its end.
func TestPod_Life(t *testing.T) {
	lc := stages(t, "Pod")
	began := time.Now()
	pod := newPod(func(p *corev1.Pod) {
		annotate(p, simkubev1.AnnotationStageCreateDelay, "1s", simkubev1.AnnotationStageCompleteAfter, "1m0.25s")
		p.Labels = map[string]string{simkubev1.LabelStageComplete: "true"}
	})
	play := func(stage string) time.Duration {
		t.Helper()
		got := next(t, lc, pod, pod.ObjectMeta, began)
		if got.stage != stage {
			t.Fatalf("stage is %q, want %q", got.stage, stage)
		}
		pod = patched(t, pod, got)
		if len(got.delays) == 0 {
			return 0
		}
		return got.delays[0]
	}
	play("pod-create")
	if pod.Status.Phase != corev1.PodPending || pod.Status.PodIP != "10.1.0.1" || pod.Status.HostIP != "10.0.0.1" || pod.Status.StartTime == nil {
		t.Errorf("after its creation the pod is %+v", pod.Status)
	}
	if got := pod.Status.ContainerStatuses[0]; got.Name != "123" || got.Image != pod.Spec.Containers[0].Image || got.State.Waiting == nil {
		t.Errorf("container is %+v, want it waiting", got)
	}
	play("pod-ready")
	if diff := cmp.Diff(map[corev1.PodConditionType]corev1.ConditionStatus{
		"Initialized": "True", "ContainersReady": "True", "Ready": "True", "example.com/gate": "True", simkubev1.ConditionCompletes: "True",
	}, conditions(pod)); diff != "" {
		t.Errorf("conditions of a ready pod (-want +got):\n%s", diff)
	}
	if pod.Status.Phase != corev1.PodRunning || pod.Status.ContainerStatuses[0].State.Running == nil ||
		pod.Status.InitContainerStatuses[0].State.Terminated == nil || pod.Status.InitContainerStatuses[1].State.Running == nil {
		t.Errorf("ready pod is %+v", pod.Status)
	}
	if delay := play("pod-complete"); delay < 60250*time.Millisecond || delay > 60250*time.Millisecond+time.Since(began) {
		t.Errorf("the pod runs for %v, want 1m0.25s", delay)
	}
	if pod.Status.Phase != corev1.PodSucceeded || conditions(pod)["Ready"] != corev1.ConditionFalse {
		t.Errorf("completed pod is %+v", pod.Status)
	}
	for _, container := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if end := container.State.Terminated; end == nil || end.ExitCode != 0 || end.StartedAt.IsZero() || container.State.Running != nil {
			t.Errorf("container %s of a completed pod is %+v", container.Name, container.State)
		}
	}
	if got := next(t, lc, pod, pod.ObjectMeta, began); got.stage != "" {
		t.Errorf("stage %s goes on with a completed pod", got.stage)
	}
}

func conditions(pod *corev1.Pod) map[corev1.PodConditionType]corev1.ConditionStatus {
	out := map[corev1.PodConditionType]corev1.ConditionStatus{}
	for _, c := range pod.Status.Conditions {
		out[c.Type] = c.Status
	}
	return out
}

func TestNode(t *testing.T) {
	lc := stages(t, "Node")
	size := corev1.ResourceList{"cpu": resource.MustParse("7"), "memory": resource.MustParse("9Gi"), "pods": resource.MustParse("5")}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "u"},
		Status:     corev1.NodeStatus{Capacity: size, NodeInfo: corev1.NodeSystemInfo{Architecture: "arm64"}},
	}
	got := next(t, lc, node, node.ObjectMeta, time.Now())
	if got.stage != "node-initialize" {
		t.Fatalf("stage is %q, want node-initialize", got.stage)
	}
	node = patched(t, node, got)
	if diff := cmp.Diff(size, node.Status.Capacity); diff != "" {
		t.Errorf("capacity (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(size, node.Status.Allocatable); diff != "" {
		t.Errorf("allocatable (-want +got):\n%s", diff)
	}
	if info := node.Status.NodeInfo; info.Architecture != "arm64" || info.OperatingSystem != "linux" {
		t.Errorf("node info is %+v, want what was given and linux", info)
	}
	if n := len(node.Status.Addresses); n != 2 {
		t.Errorf("%d addresses, want 2", n)
	}
	got = next(t, lc, node, node.ObjectMeta, time.Now())
	if want := []time.Duration{5 * time.Minute, 6 * time.Minute}; got.stage != "node-heartbeat" || !slices.Equal(got.delays, want) {
		t.Errorf("then comes %q after %v, want node-heartbeat after %v", got.stage, got.delays, want)
	}
	if n := len(patched(t, node, got).Status.Conditions); n != len(node.Status.Conditions) {
		t.Errorf("a heartbeat leaves %d conditions of %d", n, len(node.Status.Conditions))
	}
}

// BenchmarkReady measures what KWOK needs to make a pod ready, without its requests.
func BenchmarkReady(b *testing.B) {
	lc := stages(b, "Pod")
	pod := newPod(func(*corev1.Pod) {})
	for b.Loop() {
		next(b, lc, pod, pod.ObjectMeta, time.Time{})
	}
}
