package replaytest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"simkube.io/simkube/internal/order"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/trace"
)

// ordered returns a plan with what a survey finds out about events.
func ordered(events ...trace.Event) replay.Plan {
	survey := order.NewSurvey()
	for i := range events {
		survey.Add(&events[i])
	}
	return replay.Plan{Orders: survey.Orders(&trace.Tail{})}
}

// podUIDs returns the UIDs that the pods of a namespace have until the test ends.
func (s *sim) podUIDs(t *testing.T, namespace string) func() []types.UID {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	watcher, err := env.client.CoreV1().Pods(s.namespace(namespace)).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var uids []types.UID
	done := make(chan struct{})
	go func() {
		defer close(done)
		seen := map[types.UID]bool{}
		for event := range watcher.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok && !seen[pod.UID] {
				seen[pod.UID] = true
				uids = append(uids, pod.UID)
			}
		}
	}()
	return func() []types.UID {
		watcher.Stop()
		cancel()
		<-done
		return uids
	}
}

// settled is a Settle that leaves the controllers some time.
func settled(ctx context.Context) error {
	select {
	case <-time.After(3 * time.Second):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const oneJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: app}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: IMAGE}]}}}
`

// Everything that was deleted and created again within one event runs twice.
func TestRun_recreatedInOneEvent(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{}, nil)
	changed := replaced(barePod("app", "tool", ""), "image: example.com/main:1", "image: example.com/main:1\n    command: [other]")
	events := []trace.Event{
		at(t, 0, replaced(oneJob, "IMAGE", "a"), barePod("app", "tool", ""), barePod("app", "same", "")),
		at(t, 3, replaced(oneJob, "IMAGE", "b"), changed, barePod("app", "same", "")),
		at(t, 9, deployment("app", "end", 0)),
	}
	events[1].Deleted = gone(t, 3, oneJob, changed, barePod("app", "same", "")).Deleted
	uids := s.podUIDs(t, "app")
	plan := ordered(events...)
	plan.Settle = settled
	report := s.run(t, plan, events...)
	checkProblems(t, report)
	if report.Applied != 7 || report.Deleted != 3 || len(report.Replaced) > 0 {
		t.Errorf("report = %+v, want 7 applied and 3 deleted", report)
	}
	if got := uids(); len(got) != 6 {
		t.Errorf("%d pods, want two of each", len(got))
	}
}

// A Deployment that existed for less than a second had pods.
func TestRun_livedWithinASecond(t *testing.T) {
	t.Parallel()
	s := newSim(t, replay.Options{Speed: 0.05}, nil) // the controllers have 10 seconds
	brief := at(t, 0, deployment("app", "brief", 2))
	brief.Deleted = gone(t, 0, deployment("app", "brief", 2)).Deleted
	events := []trace.Event{at(t, 0, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: app}}"), brief}
	uids := s.podUIDs(t, "app")
	plan := ordered(events...)
	plan.Settle = settled
	report := s.run(t, plan, events...)
	checkProblems(t, report)
	if got := uids(); report.Applied != 2 || report.Deleted != 1 || len(got) != 2 {
		t.Errorf("%d pods, report %+v; want 2 pods of a Deployment that is gone", len(got), report)
	}
	_, err := env.client.AppsV1().Deployments(s.namespace("app")).Get(t.Context(), "brief", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("get the Deployment: %v, want it gone", err)
	}
}

// A namespace that is deleted and created again is gone in between, with everything in it.
func TestRun_namespaceMadeAgain(t *testing.T) {
	t.Parallel()
	const space = "{apiVersion: v1, kind: Namespace, metadata: {name: ci}}"
	for name, events := range map[string][]trace.Event{
		"two events": {
			at(t, 0, space, deployment("ci", "w", 3), barePod("ci", "bare", "")),
			gone(t, 4, space),
			at(t, 5, barePod("ci", "bare", ""), deployment("ci", "w", 2), space),
		},
		"one event": {
			at(t, 0, space, deployment("ci", "w", 3), barePod("ci", "bare", "")),
			{Time: origin + 4, Deleted: objects(t, []string{space}), Applied: objects(t, []string{deployment("ci", "w", 2), barePod("ci", "bare", ""), space})},
			at(t, 5, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ci}}"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, replay.Options{}, nil)
			uids := s.podUIDs(t, "ci")
			config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{corev1.SchemeGroupVersion.WithKind("Namespace"): {}}}
			plan := ordered(events...)
			plan.Config, plan.Settle = config, settled
			report := s.run(t, plan, events...)
			checkProblems(t, report)
			if got := uids(); len(got) != 7 {
				t.Errorf("%d pods, want 4 and then 3", len(got))
			}
			pods, err := s.pods(t.Context(), "ci")
			if err != nil || len(pods) != 3 {
				t.Errorf("%d pods are left, %v; want 3", len(pods), err)
			}
		})
	}
}

// A definition may come in one event with objects of its kind, behind them, and in several
// versions. A later version of it is served, too.
func TestRun_definitionsAndObjects(t *testing.T) {
	s := newSimAlone(t, replay.Options{Speed: 10})
	definition := func(versions ...string) string {
		text := "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: gadgets.order.example.com}, spec: {group: order.example.com, " +
			"scope: Namespaced, names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}, versions: ["
		for i, version := range versions {
			text += fmt.Sprintf("{name: %s, served: true, storage: %t, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}},", version, i == 0)
		}
		return text + "]}}"
	}
	gadget := func(version, name string) string {
		return fmt.Sprintf("{apiVersion: order.example.com/%s, kind: Gadget, metadata: {name: %s, namespace: order-lab}}", version, name)
	}
	report := s.run(t, replay.Plan{},
		at(t, 0, gadget("v1", "early")),
		at(t, 1, gadget("v1", "a"), gadget("v1alpha1", "old"), definition("v1", "v1alpha1")),
		at(t, 20, definition("v1", "v1alpha1", "v2"), gadget("v2", "b")),
		gone(t, 40, definition("v1"), gadget("v1", "a"), gadget("v1alpha1", "old")),
	)
	checkProblems(t, report, replay.UnknownKind)
	if report.Applied != 5 || report.Deleted != 3 {
		t.Errorf("report = %+v, want all but the first gadget", report)
	}
	if len(report.Problems) == 1 && !strings.Contains(report.Problems[0].Message, `no matches for kind "Gadget"`) {
		t.Errorf("problem = %q", report.Problems[0].Message)
	}
	client, err := dynamic.NewForConfig(env.config)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the definition to go", func(ctx context.Context) (bool, error) {
		_, err := client.Resource(schema.GroupVersionResource{Group: "order.example.com", Version: "v1", Resource: "gadgets"}).List(ctx, metav1.ListOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

// What changed in a way that the API server does not allow was another object in the recording.
func TestRun_replacesImmutable(t *testing.T) {
	s := newSimAlone(t, replay.Options{Speed: 10})
	before := []string{
		replaced(replaced(oneJob, "IMAGE", "a"), "namespace: app", "namespace: order-app"),
		"{apiVersion: v1, kind: Service, metadata: {name: svc, namespace: order-app}, spec: {ports: [{port: 80}]}}",
		"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: set, namespace: order-app}, spec: {serviceName: a, replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}",
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: dep, namespace: order-app}, spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b, c: d}}, spec: {containers: [{name: c, image: i}]}}}}",
		"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: claim, namespace: order-app}, spec: {storageClassName: a, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
		"{apiVersion: v1, kind: PersistentVolume, metadata: {name: order-volume}, spec: {storageClassName: a, capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /a}}}",
		"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: order-class}, provisioner: example.com/none, parameters: {a: b}}",
		"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: order-priority}, value: 1000}",
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: binding, namespace: order-app}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: config, namespace: order-app}, immutable: true, data: {a: b}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: secret, namespace: order-app}, type: Opaque}",
		barePod("order-app", "pod", ""),
	}
	after := make([]string, len(before))
	for i, change := range [][2]string{
		{"image: a", "image: b"},
		{"ports:", "clusterIP: None, ports:"},
		{"serviceName: a", "serviceName: b"},
		{"matchLabels: {a: b}", "matchLabels: {c: d}"},
		{"storageClassName: a", "storageClassName: b"},
		{"path: /a", "path: /b"},
		{"{a: b}", "{a: c}"},
		{"value: 1000", "value: 2000"},
		{"name: a}", "name: b}"},
		{"data: {a: b}", "data: {a: c}"},
		{"type: Opaque", "type: example.com/other"},
		{"image: example.com/main:1", "image: example.com/main:1\n    command: [other]"},
	} {
		after[i] = replaced(before[i], change[0], change[1])
		if after[i] == before[i] {
			t.Fatalf("%q is not in %s", change[0], before[i])
		}
	}
	report := s.run(t, replay.Plan{}, at(t, 0, before...), at(t, 10, after...), gone(t, 60, after...))
	checkProblems(t, report)
	got := map[string]int{}
	for gvk, n := range report.Replaced {
		got[gvk.Kind] = n
	}
	want := map[string]int{
		"Job": 1, "Service": 1, "StatefulSet": 1, "Deployment": 1, "PersistentVolumeClaim": 1, "PersistentVolume": 1, "StorageClass": 1,
		"PriorityClass": 1, "RoleBinding": 1, "ConfigMap": 1, "Secret": 1, "Pod": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replaced (-want +got):\n%s", diff)
	}
	if report.Applied != 2*len(before) || report.Deleted != len(before) {
		t.Errorf("report = %+v, want everything applied twice and deleted", report)
	}
}

// Changes of a pod that the API server allows change the same pod, and so do new sizes of its
// containers.
func TestRun_changesBarePods(t *testing.T) {
	t.Parallel()
	const pod = "{apiVersion: v1, kind: Pod, metadata: {name: NAME, namespace: ml, labels: {a: b}}, spec: {containers: [{name: c, image: i, resources: {requests: {cpu: '1'}}}]}}"
	const gated = "{apiVersion: v1, kind: Pod, metadata: {name: NAME, namespace: ml}, spec: {containers: [{name: c, image: i}], schedulingGates: [{name: a.b/c}]}}"
	for name, c := range map[string]struct {
		before, after string
		check         func(pod *corev1.Pod) any
		want          any
	}{
		"labels":         {pod, replaced(pod, "{a: b}", "{a: c}, annotations: {d: e}"), func(p *corev1.Pod) any { return p.Labels["a"] + p.Annotations["d"] }, "ce"},
		"image":          {pod, replaced(pod, "image: i", "image: j"), func(p *corev1.Pod) any { return p.Spec.Containers[0].Image }, "j"},
		"size":           {pod, replaced(pod, "'1'", "'3'"), func(p *corev1.Pod) any { return p.Spec.Containers[0].Resources.Requests.Cpu().String() }, "3"},
		"smaller":        {pod, replaced(pod, "'1'", "500m"), func(p *corev1.Pod) any { return p.Spec.Containers[0].Resources.Requests.Cpu().String() }, "500m"},
		"size and image": {pod, replaced(replaced(pod, "'1'", "'3'"), "image: i", "image: j"), func(p *corev1.Pod) any { return p.Spec.Containers[0].Image }, "j"},
		"a toleration": {
			pod, replaced(pod, "spec: {", "spec: {tolerations: [{key: k, operator: Exists}], "),
			func(p *corev1.Pod) any {
				for _, toleration := range p.Spec.Tolerations {
					if toleration.Key == "k" {
						return true
					}
				}
				return false
			}, true,
		},
		"ephemeral containers": {
			pod, replaced(replaced(pod, "spec: {", "spec: {ephemeralContainers: [{name: debug, image: busybox}], "), "{a: b}", "{a: c}"),
			func(p *corev1.Pod) any { return len(p.Spec.EphemeralContainers) }, 0,
		},
		"a gate": {
			gated, replaced(gated, ", schedulingGates: [{name: a.b/c}]", ""),
			func(p *corev1.Pod) any { return len(p.Spec.SchedulingGates) }, 0,
		},
		"empty gates": {gated, replaced(gated, "[{name: a.b/c}]", "[]"), func(p *corev1.Pod) any { return len(p.Spec.SchedulingGates) }, 0},
		"a gate and a selector": {
			gated, replaced(gated, "schedulingGates: [{name: a.b/c}]", "nodeSelector: {disk: ssd}"),
			func(p *corev1.Pod) any { return p.Spec.NodeSelector["disk"] }, "ssd",
		},
		"a gate and an affinity": {
			gated, replaced(gated, "schedulingGates: [{name: a.b/c}]", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "+
				"{nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: Exists}]}]}}}"),
			func(p *corev1.Pod) any { return p.Spec.Affinity != nil }, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, replay.Options{Speed: 5}, nil)
			uids := s.podUIDs(t, "ml")
			report := s.run(t, replay.Plan{}, at(t, 0, replaced(c.before, "NAME", "p")), at(t, 10, replaced(c.after, "NAME", "p")))
			checkProblems(t, report)
			if got := uids(); len(got) != 1 {
				t.Errorf("%d pods, want the same one", len(got))
			}
			pod, err := env.client.CoreV1().Pods(s.namespace("ml")).Get(t.Context(), "p", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.check(pod); got != c.want {
				t.Errorf("got %v, want %v in %+v", got, c.want, pod.Spec)
			}
		})
	}
}
