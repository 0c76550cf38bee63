package replaytest

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/trace"
)

// ran watches a pod until it has succeeded, and returns how long it was running.
func (s *sim) ran(t *testing.T, namespace, name string) time.Duration {
	t.Helper()
	var running time.Time
	var took time.Duration
	eventually(t, "pod "+name+" to succeed", func(ctx context.Context) (bool, error) {
		pod, err := env.client.CoreV1().Pods(s.namespace(namespace)).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if running.IsZero() && pod.Status.Phase == corev1.PodRunning {
			running = time.Now()
		}
		if pod.Status.Phase == corev1.PodSucceeded {
			took = time.Since(running)
			return true, nil
		}
		return false, nil
	})
	return took
}

func checkRan(t *testing.T, got, want time.Duration) {
	t.Helper()
	if got < want-time.Second || got > want+time.Second {
		t.Errorf("ran %v, want %v give or take a second", got, want)
	}
}

func TestRun_barePodsComplete(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{}, trace.Lifecycles{podOwner("jobs", "short"): finished(3)})
	ctx := t.Context()
	bound := replaced(barePod("jobs", "short", ""), "recorded-node", "bound-node")
	labelled := replaced(barePod("jobs", "endless", ""), "app: bare", "app: changed")
	report := s.run(t, replay.Plan{Settle: func(context.Context) error {
		checkRan(t, s.ran(t, "jobs", "short"), 3*time.Second)
		return nil
	}},
		at(t, 0, barePod("jobs", "short", ""), barePod("jobs", "endless", "")),
		at(t, 1, bound, labelled),
	)
	checkProblems(t, report)
	if report.Applied != 4 {
		t.Errorf("applied = %d, want 4", report.Applied)
	}
	pods := env.client.CoreV1().Pods(s.namespace("jobs"))
	endless, err := pods.Get(ctx, "endless", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if endless.Status.Phase != corev1.PodRunning || endless.Labels["app"] != "changed" {
		t.Errorf("endless pod is %s with labels %v, want it running and changed", endless.Status.Phase, endless.Labels)
	}
	if _, ok := endless.Annotations[simkubev1.AnnotationStageCompleteTime]; ok {
		t.Errorf("endless pod completes: %v", endless.Annotations)
	}
	checkProblems(t, s.run(t, replay.Plan{}, gone(t, 0, labelled)))
	eventually(t, "the pod to go", func(ctx context.Context) (bool, error) {
		_, err := pods.Get(ctx, "endless", metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

func TestRun_reschedulesInterruptedBarePods(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{RescheduleInterruptedBarePods: true},
		trace.Lifecycles{podOwner("jobs", "evicted"): finished(3), podOwner("jobs", "done"): finished(0)})
	pods := env.client.CoreV1().Pods(s.namespace("jobs"))
	running := func(ctx context.Context, name string) {
		eventually(t, name+" to run", func(context.Context) (bool, error) {
			pod, err := pods.Get(ctx, name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return false, nil
			}
			return err == nil && pod.Status.Phase == corev1.PodRunning, err
		})
	}
	evict := func(ctx context.Context, name string) {
		running(ctx, name)
		if err := pods.EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			t.Errorf("evict %s: %v", name, err)
		}
	}
	settle := func(ctx context.Context) error {
		evict(ctx, "evicted")
		evict(ctx, "evicted-clone-1")
		checkRan(t, s.ran(t, "jobs", "evicted-clone-2"), 3*time.Second)
		s.ran(t, "jobs", "done")
		if err := pods.Delete(ctx, "done", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		evict(ctx, "endless")
		running(ctx, "endless-clone-1")
		return nil
	}
	report := s.run(t, replay.Plan{Settle: settle},
		at(t, 0, barePod("jobs", "evicted", ""), barePod("jobs", "done", ""), barePod("jobs", "endless", ""), barePod("jobs", "deleted", "")),
		gone(t, 2, barePod("jobs", "deleted", "")),
	)
	checkProblems(t, report)
	if report.Clones != 3 {
		t.Errorf("clones = %d, want 3", report.Clones)
	}
	list, err := s.pods(t.Context(), "jobs")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, pod := range list {
		got[pod.Name] = pod.Annotations[simkubev1.AnnotationOriginalOwner]
	}
	want := map[string]string{"evicted-clone-2": "jobs/evicted", "endless-clone-1": "jobs/endless"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pods and whose clones they are (-want +got):\n%s", diff)
	}
}

func TestRun_traceDeletesClone(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{RescheduleInterruptedBarePods: true}, nil)
	ctx := t.Context()
	pods := env.client.CoreV1().Pods(s.namespace("jobs"))
	events := []trace.Event{at(t, 0, barePod("jobs", "evicted", "")), gone(t, 1, barePod("jobs", "evicted", ""))}
	plan := planOf(replay.Plan{}, events)
	plan.Events = func(yield func(*trace.Event, error) bool) {
		if !yield(&events[0], nil) {
			return
		}
		eventually(t, "the pod", func(ctx context.Context) (bool, error) {
			return pods.Delete(ctx, "evicted", metav1.DeleteOptions{}) == nil, nil
		})
		eventually(t, "the clone", func(ctx context.Context) (bool, error) {
			_, err := pods.Get(ctx, "evicted-clone-1", metav1.GetOptions{})
			return err == nil, nil
		})
		yield(&events[1], nil)
	}
	report, err := s.engine.Run(ctx, plan)
	if err != nil {
		t.Fatal(err)
	}
	checkProblems(t, report)
	eventually(t, "the clone to go", func(ctx context.Context) (bool, error) {
		list, err := s.pods(ctx, "jobs")
		return len(list) == 0, err
	})
}

// A pod that does not belong to a simulation, owned or not, is unchanged.
func TestMutate_leavesOthersAlone(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{}, nil)
	ctx := t.Context()
	s.run(t, replay.Plan{}, at(t, 0, deployment("web", "shop", 1)))
	config, err := env.client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "owner-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, owners := range map[string][]metav1.OwnerReference{
		"bare":  nil,
		"owned": {{APIVersion: "v1", Kind: "ConfigMap", Name: config.Name, UID: config.UID}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{GenerateName: "other-", Namespace: "default", OwnerReferences: owners},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "x"}}},
			}
			got, err := env.client.CoreV1().Pods("default").Create(ctx, pod, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Labels) > 0 || len(got.Annotations) > 0 || len(got.Spec.NodeSelector) > 0 {
				t.Errorf("got labels %v, annotations %v, node selector %v; want none", got.Labels, got.Annotations, got.Spec.NodeSelector)
			}
			for _, toleration := range got.Spec.Tolerations {
				if toleration.Key == simkubev1.TaintKwokProvider {
					t.Errorf("it tolerates simulated nodes")
				}
			}
			if err := env.client.CoreV1().Pods("default").Delete(ctx, got.Name, *metav1.NewDeleteOptions(0)); err != nil {
				t.Error(err)
			}
		})
	}
	if err := env.client.CoreV1().ConfigMaps("default").Delete(ctx, config.Name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// The recorded CronJob creates pods through Jobs: their lifecycles are found through two owners.
func TestRun_cronJobPods(t *testing.T) {
	t.Parallel()
	owner := trace.PodOwner{Name: "default/tick"}
	owner.GVK.Group, owner.GVK.Version, owner.GVK.Kind = "batch", "v1", "CronJob"
	s := newSim(t, replay.Options{Speed: 2}, trace.Lifecycles{owner: {
		5: {{State: trace.Finished, Start: 10, End: 14}, {State: trace.Running, Start: 70}},
	}})
	const cron = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick, namespace: default}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}}
`
	ctx := t.Context()
	checkProblems(t, s.run(t, replay.Plan{}, at(t, 0, cron)))
	parent, err := env.client.BatchV1().CronJobs(s.namespace("default")).Get(ctx, "tick", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range []string{"tick-1", "tick-2", "tick-3"} {
		job := newJob(name, parent)
		if _, err := env.client.BatchV1().Jobs(parent.Namespace).Create(ctx, job, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the pod of "+name, func(ctx context.Context) (bool, error) {
			list, err := env.client.CoreV1().Pods(parent.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "job-name=" + name})
			if err != nil || len(list.Items) == 0 {
				return false, err
			}
			got = append(got, list.Items[0].Annotations[simkubev1.AnnotationPodSequenceNumber]+" "+list.Items[0].Annotations[simkubev1.AnnotationStageCompleteAfter])
			return true, nil
		})
	}
	if diff := cmp.Diff([]string{"0 2s", "1 ", "2 2s"}, got); diff != "" {
		t.Errorf("numbers and run times (-want +got):\n%s", diff)
	}
	eventually(t, "the Job to complete", func(ctx context.Context) (bool, error) {
		job, err := env.client.BatchV1().Jobs(parent.Namespace).Get(ctx, "tick-1", metav1.GetOptions{})
		return err == nil && job.Status.Succeeded == 1, err
	})
}

// The recorded bare pods, much faster.
func TestRun_recordedBarePods(t *testing.T) {
	t.Parallel()
	recorded, err := trace.ReadFile(prerequisite.Recording(t, "bare-pods.sktrace"))
	if err != nil {
		t.Fatal(err)
	}
	const speed = 20
	s := newSim(t, replay.Options{Speed: speed}, recorded.Lifecycles)
	plan := replay.Plan{Config: &recorded.Config, Events: sequence(recorded.Events), Origin: recorded.Events[0].Time}
	for owner, byHash := range recorded.Lifecycles {
		for hash := range byHash {
			if hash != 2151974655102796215 {
				t.Fatalf("%s has hash %d", owner.Name, hash)
			}
		}
	}
	plan.Settle = func(ctx context.Context) error {
		for owner, byHash := range recorded.Lifecycles {
			_, name, _ := strings.Cut(owner.Name, "/")
			for _, lifecycles := range byHash {
				if lifecycles[0].State == trace.Finished {
					s.ran(t, "testing", name)
				}
			}
		}
		return nil
	}
	report, err := s.engine.Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	checkProblems(t, report)
	if report.Applied != 4 {
		t.Errorf("applied = %d, want 4", report.Applied)
	}
	var list []corev1.Pod
	want, got := map[corev1.PodPhase]int{corev1.PodSucceeded: 3, corev1.PodRunning: 1}, map[corev1.PodPhase]int{}
	eventually(t, "3 pods to have succeeded and 1 to run", func(ctx context.Context) (bool, error) {
		list, err = s.pods(ctx, "testing")
		clear(got)
		for _, pod := range list {
			got[pod.Status.Phase]++
		}
		return maps.Equal(want, got), err
	})
	for _, pod := range list {
		if pod.Annotations[simkubev1.AnnotationPodSpecStableHash] != "2151974655102796215" {
			t.Errorf("pod %s has the hash %s", pod.Name, pod.Annotations[simkubev1.AnnotationPodSpecStableHash])
		}
	}
}
