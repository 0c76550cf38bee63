package results

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	testclock "k8s.io/utils/clock/testing"
)

// failure returns the event of a controller that could not create a pod.
func failure(kind, name string) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: "web", Name: kind + "." + name},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: "web", Name: name, UID: types.UID(name)},
		Reason:         "FailedCreate",
		Message:        `Error creating: pods "` + name + `-x7k2p" is forbidden: exceeded quota: small`,
	}
}

func controller(name string, owners ...metav1.OwnerReference) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "web", Name: name, UID: types.UID(name), OwnerReferences: owners}
}

// TestObserver_Failures holds that pods that a controller could not create are counted by the state
// at the end, for the owner of the controller, and not if they were created in the end.
func TestObserver_Failures(t *testing.T) {
	toShop := metav1.OwnerReference{Kind: "Deployment", Name: "shop", Controller: new(true)}
	toNightly := metav1.OwnerReference{Kind: "CronJob", Name: "nightly", Controller: new(true)}
	client := fake.NewClientset(
		&appsv1.ReplicaSet{ObjectMeta: controller("shop-1", toShop), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(5))}, Status: appsv1.ReplicaSetStatus{Replicas: 3}},
		&appsv1.StatefulSet{ObjectMeta: controller("db"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3))}, Status: appsv1.StatefulSetStatus{Replicas: 3}},
		&appsv1.DaemonSet{ObjectMeta: controller("agent"), Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 4}},
		&corev1.ReplicationController{ObjectMeta: controller("old"), Spec: corev1.ReplicationControllerSpec{Replicas: new(int32(1))}},
		&batchv1.Job{ObjectMeta: controller("nightly-1", toNightly), Spec: batchv1.JobSpec{Parallelism: new(int32(2)), Completions: new(int32(3))}, Status: batchv1.JobStatus{Succeeded: 2}},
		&batchv1.Job{ObjectMeta: controller("done"), Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}},
		failure("ReplicaSet", "shop-1"), failure("StatefulSet", "db"), failure("DaemonSet", "agent"), failure("ReplicationController", "old"),
		failure("Job", "nightly-1"), failure("Job", "done"), failure("Job", "nightly-29123456"),
	)
	rec := NewRecorder()
	o, err := Start(t.Context(), client, rec, Options{Clock: testclock.NewFakePassiveClock(at(1)), Failures: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, d := range rec.Run(info(100)).Summary.Outcome.Deviations.First {
		got[d.Subject()] = d.Count
		if want := "could not be created: exceeded quota: small"; d.Category != NotCreated || d.Reason[len(d.Reason)-len(want):] != want {
			t.Errorf("%+v", d)
		}
	}
	want := map[string]int{
		"Deployment web/shop": 2, "DaemonSet web/agent": 4, "ReplicationController web/old": 1,
		"CronJob web/nightly": 2, // one of a Job that exists, one of a Job that is gone
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pods that were not created (-want +got):\n%s", diff)
	}
}

// TestObserver_CreateFailed holds that events that the observer is called with are recorded, also
// if they still wait when it stops, and that nothing blocks after that.
func TestObserver_CreateFailed(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("list", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
		t.Error("events were listed")
		return false, nil, nil
	})
	rec := NewRecorder()
	o, err := Start(t.Context(), client, rec, Options{Clock: testclock.NewFakePassiveClock(at(1))})
	if err != nil {
		t.Fatal(err)
	}
	o.Close()
	for i := range maxFailed {
		o.failed <- failure("Job", fmt.Sprint("job-", i))
	}
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rec.Run(info(100)).Summary.Outcome.Deviations.Total; got != maxFailed {
		t.Errorf("got %d deviations, want %d", got, maxFailed)
	}
	for range maxFailed + 1 {
		o.CreateFailed(t.Context(), failure("Job", "late"))
	}

	if o, err = Start(t.Context(), client, NewRecorder(), Options{Clock: testclock.NewFakePassiveClock(at(1))}); err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for i := range 2 * maxFailed {
		o.CreateFailed(t.Context(), failure("Job", fmt.Sprint("job-", i)))
	}
}

// TestObserver_FailuresOfOthers holds that controllers in namespaces that do not belong to the
// simulation are not counted, nor failures that are to be ignored, and that others are counted with
// the recorded namespace.
func TestObserver_FailuresOfOthers(t *testing.T) {
	foreign, own, ignored := failure("Job", "foreign"), failure("Job", "own"), failure("Job", "ignored")
	ignored.InvolvedObject.Namespace, ignored.Message = "virtual-web", "not this one"
	own.InvolvedObject.Namespace = "virtual-web"
	client := fake.NewClientset(foreign, own, ignored)
	rec := NewRecorder()
	o, err := Start(t.Context(), client, rec, Options{
		Clock: testclock.NewFakePassiveClock(at(1)), Failures: true,
		Namespace: func(name string) (string, bool) { return strings.CutPrefix(name, "virtual-") },
		Ignore:    func(message string) bool { return message == "not this one" },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := rec.Run(info(100)).Summary.Outcome.Deviations.First
	if len(got) != 1 || got[0].Subject() != "Job web/own" {
		t.Errorf("got %+v, want one of Job web/own", got)
	}
}

// TestRecorder_CreatedLater holds that a controller that is gone lacks no pods that it created
// after it failed.
func TestRecorder_CreatedLater(t *testing.T) {
	rec := NewRecorder()
	owner := Owner{"web", "Job", "o"}
	rec.CreationFailed(at(1), "uid", owner, 1, "exceeded quota", false)
	rec.PodChanged(at(5), testPod("p", ownedBy("Job", "o")))
	rec.CreationFailed(at(9), "uid", owner, 1, "", true)
	if d := rec.Run(info(10)).Summary.Outcome.Deviations; d.Total != 0 {
		t.Errorf("deviations: %+v", d.First)
	}
}
