package results

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	testclock "k8s.io/utils/clock/testing"
)

// second returns metadata of the second version of an object.
func second(name string, owners ...metav1.OwnerReference) metav1.ObjectMeta {
	meta := controller(name, owners...)
	meta.Generation = 2
	return meta
}

// TestObserver_Backlog holds what counts as work of controllers that is not done, for each kind.
// Pods that only the status of a controller has count as not handled by the scheduler.
func TestObserver_Backlog(t *testing.T) {
	two, three := new(int32(2)), new(int32(3))
	toShop := metav1.OwnerReference{Kind: "Deployment", Name: "shop", Controller: new(true)}
	toNightly := metav1.OwnerReference{Kind: "CronJob", Name: "nightly", Controller: new(true)}
	onDelete := appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}
	for name, c := range map[string]struct {
		objects []runtime.Object
		want    []OwnerBacklog
	}{
		"a Deployment that its controller has not seen": {
			objects: []runtime.Object{&appsv1.Deployment{
				ObjectMeta: second("shop"), Spec: appsv1.DeploymentSpec{Replicas: three},
				Status: appsv1.DeploymentStatus{ObservedGeneration: 1, UpdatedReplicas: 3},
			}},
			want: []OwnerBacklog{{Owner: Owner{"web", "Deployment", "shop"}, Unseen: true}},
		},
		"a Deployment in a rollout, and a ReplicaSet of it": {
			objects: []runtime.Object{
				&appsv1.Deployment{
					ObjectMeta: second("shop"), Spec: appsv1.DeploymentSpec{Replicas: three},
					Status: appsv1.DeploymentStatus{ObservedGeneration: 2, UpdatedReplicas: 1},
				},
				&appsv1.ReplicaSet{ObjectMeta: controller("shop-1", toShop), Spec: appsv1.ReplicaSetSpec{Replicas: two}, Status: appsv1.ReplicaSetStatus{Replicas: 1}},
			},
			want: []OwnerBacklog{{Owner: Owner{"web", "Deployment", "shop"}, Lacking: 2, Unscheduled: 1}},
		},
		"a Deployment that is paused": {
			objects: []runtime.Object{&appsv1.Deployment{
				ObjectMeta: second("shop"), Spec: appsv1.DeploymentSpec{Replicas: three, Paused: true},
				Status: appsv1.DeploymentStatus{ObservedGeneration: 2},
			}},
		},
		"a Deployment that is being deleted": {
			objects: []runtime.Object{&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
				Namespace: "web", Name: "shop", Generation: 2, DeletionTimestamp: &metav1.Time{Time: at(1)}, Finalizers: []string{"f"},
			}}},
		},
		"StatefulSets": {
			objects: []runtime.Object{
				&appsv1.StatefulSet{ObjectMeta: controller("new"), Spec: appsv1.StatefulSetSpec{Replicas: three}, Status: appsv1.StatefulSetStatus{Replicas: 1}},
				&appsv1.StatefulSet{ObjectMeta: controller("rolled"), Spec: appsv1.StatefulSetSpec{Replicas: three}, Status: appsv1.StatefulSetStatus{
					Replicas: 3, UpdatedReplicas: 2, UpdateRevision: "b", CurrentRevision: "a",
				}},
				&appsv1.StatefulSet{ObjectMeta: controller("by-hand"), Spec: appsv1.StatefulSetSpec{Replicas: three, UpdateStrategy: onDelete}, Status: appsv1.StatefulSetStatus{
					Replicas: 3, UpdateRevision: "b", CurrentRevision: "a",
				}},
			},
			want: []OwnerBacklog{
				{Owner: Owner{"web", "StatefulSet", "by-hand"}, Unscheduled: 3},
				{Owner: Owner{"web", "StatefulSet", "new"}, Lacking: 2, Unscheduled: 1},
				{Owner: Owner{"web", "StatefulSet", "rolled"}, Lacking: 1, Unscheduled: 3},
			},
		},
		"pods that have to be ready for a while": {
			objects: []runtime.Object{
				&appsv1.StatefulSet{
					ObjectMeta: controller("slow"), Spec: appsv1.StatefulSetSpec{Replicas: three, MinReadySeconds: 20},
					Status: appsv1.StatefulSetStatus{Replicas: 2},
				},
				&appsv1.DaemonSet{
					ObjectMeta: controller("agent"), Spec: appsv1.DaemonSetSpec{MinReadySeconds: 10},
					Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 1},
				},
			},
			want: []OwnerBacklog{
				{Owner: Owner{"web", "DaemonSet", "agent"}, Lacking: 1, Pause: 10 * time.Second},
				{Owner: Owner{"web", "StatefulSet", "slow"}, Lacking: 1, Unscheduled: 2, Pause: 20 * time.Second},
			},
		},
		"DaemonSets": {
			objects: []runtime.Object{
				&appsv1.DaemonSet{ObjectMeta: controller("agent"), Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 4, CurrentNumberScheduled: 4, UpdatedNumberScheduled: 3}},
				&appsv1.DaemonSet{ObjectMeta: second("unseen")},
			},
			want: []OwnerBacklog{
				{Owner: Owner{"web", "DaemonSet", "agent"}, Lacking: 1, Unscheduled: 4},
				{Owner: Owner{"web", "DaemonSet", "unseen"}, Unseen: true, Lacking: 1}, // one for each node
			},
		},
		"a ReplicationController": {
			objects: []runtime.Object{&corev1.ReplicationController{ObjectMeta: controller("old"), Spec: corev1.ReplicationControllerSpec{Replicas: two}}},
			want:    []OwnerBacklog{{Owner: Owner{"web", "ReplicationController", "old"}, Lacking: 2}},
		},
		"Jobs": {
			objects: []runtime.Object{
				&batchv1.Job{ObjectMeta: controller("nightly-1", toNightly), Spec: batchv1.JobSpec{Parallelism: two}},
				&batchv1.Job{ObjectMeta: controller("suspended"), Spec: batchv1.JobSpec{Suspend: new(true)}},
				&batchv1.Job{ObjectMeta: controller("others"), Spec: batchv1.JobSpec{ManagedBy: new("example.com/jobs")}},
				&batchv1.Job{ObjectMeta: controller("started"), Status: batchv1.JobStatus{StartTime: &metav1.Time{Time: at(1)}, Active: 1}},
			},
			want: []OwnerBacklog{
				{Owner: Owner{"web", "CronJob", "nightly"}, Unseen: true, Lacking: 2},
				{Owner: Owner{"web", "Job", "started"}, Unscheduled: 1},
			},
		},
		"pods": {
			objects: []runtime.Object{
				testPod("waits", ownedBy("Job", "j")),
				testPod("no-room", ownedBy("Job", "j"), unschedulable("0/1 nodes are available")),
				testPod("gated", ownedBy("Job", "j"), unschedulable(gated)),
				testPod("starts", ownedBy("Job", "j"), onNode("n")),
			},
			want: []OwnerBacklog{{Owner: Owner{"web", "Job", "j"}, Unscheduled: 1, Starting: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(append(c.objects, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}})...)
			o, err := Start(t.Context(), client, NewRecorder(), Options{Clock: testclock.NewFakePassiveClock(at(1))})
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			got, err := o.Backlog(t.Context(), Scope{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Owners); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if want := name == "pods"; (got.Unplaced == 1) != want {
				t.Errorf("%d pods without a node", got.Unplaced)
			}
		})
	}
}

// TestObserver_Backlog_Scope holds that a backlog can be that of one owner, or of one namespace.
func TestObserver_Backlog_Scope(t *testing.T) {
	two := new(int32(2))
	foreign := controller("shop")
	foreign.Namespace = "elsewhere"
	client := fake.NewClientset(
		&appsv1.ReplicaSet{ObjectMeta: controller("shop-1", metav1.OwnerReference{Kind: "Deployment", Name: "shop", Controller: new(true)}), Spec: appsv1.ReplicaSetSpec{Replicas: two}},
		&appsv1.ReplicaSet{ObjectMeta: controller("single"), Spec: appsv1.ReplicaSetSpec{Replicas: two}},
		&appsv1.StatefulSet{ObjectMeta: controller("shop"), Spec: appsv1.StatefulSetSpec{Replicas: two}},
		&appsv1.StatefulSet{ObjectMeta: foreign, Spec: appsv1.StatefulSetSpec{Replicas: two}},
		&corev1.Pod{ObjectMeta: controller("bare")},
	)
	o, err := Start(t.Context(), client, NewRecorder(), Options{Clock: testclock.NewFakePassiveClock(at(1))})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	deployment := OwnerBacklog{Owner: Owner{"web", "Deployment", "shop"}, Lacking: 2}
	single := OwnerBacklog{Owner: Owner{"web", "ReplicaSet", "single"}, Lacking: 2}
	stateful := OwnerBacklog{Owner: Owner{"web", "StatefulSet", "shop"}, Lacking: 2}
	bare := OwnerBacklog{Owner: Owner{"web", "Pod", "bare"}, Unscheduled: 1}
	for name, c := range map[string]struct {
		scope Scope
		want  []OwnerBacklog
	}{
		"namespace":    {Scope{Namespace: "web"}, []OwnerBacklog{deployment, bare, single, stateful}},
		"owner":        {Scope{Namespace: "web", Owner: deployment.Owner}, []OwnerBacklog{deployment}},
		"pod":          {Scope{Namespace: "web", Owner: bare.Owner}, []OwnerBacklog{bare}},
		"other kind":   {Scope{Namespace: "web", Owner: Owner{"web", "Widget", "shop"}}, nil},
		"not an owner": {Scope{Namespace: "web", Owner: Owner{"web", "ReplicaSet", "shop-1"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := o.Backlog(t.Context(), c.scope)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Owners); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A pod without a node counts as tried if the scheduler failed, or if the pod is new.
func TestObserver_Backlog_Trying(t *testing.T) {
	pod := func(name, reason string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: controller(name), Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: reason, Message: "no"},
		}}}
	}
	clock := testclock.NewFakePassiveClock(at(1))
	client := fake.NewClientset(pod("none", corev1.PodReasonUnschedulable), pod("failed", corev1.PodReasonSchedulerError))
	o, err := Start(t.Context(), client, NewRecorder(), Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for after, want := range map[time.Duration]int{time.Second: 2, time.Minute: 1} {
		clock.SetTime(at(1).Add(after))
		got, err := o.Backlog(t.Context(), Scope{})
		if err != nil || got.Unplaced != 2 || got.Trying != want {
			t.Errorf("after %v: got %+v, %v; want 2 without a node, %d tried", after, got, err, want)
		}
	}
}

// TestObserver_Backlog_Refused holds that pods that a controller cannot create are not waited for,
// and that controllers of others are not counted.
func TestObserver_Backlog_Refused(t *testing.T) {
	two, foreign := new(int32(2)), controller("foreign")
	foreign.Namespace = "elsewhere"
	client := fake.NewClientset(
		&appsv1.StatefulSet{ObjectMeta: controller("db"), Spec: appsv1.StatefulSetSpec{Replicas: two}},
		&appsv1.StatefulSet{ObjectMeta: foreign, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3))}},
	)
	rec := NewRecorder()
	rec.CreationFailed(at(1), "db", Owner{"web", "StatefulSet", "db"}, 2, "exceeded quota", false)
	o, err := Start(t.Context(), client, rec, Options{
		Clock:     testclock.NewFakePassiveClock(at(1)),
		Namespace: func(name string) (string, bool) { return name, name == "web" },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	got, err := o.Backlog(t.Context(), Scope{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Size() != 0 {
		t.Errorf("got %+v, want nothing", got)
	}
}

// TestBacklog_CutShort holds that only owners that their controllers have not handled are reported
// of a control plane that does not go on.
func TestBacklog_CutShort(t *testing.T) {
	b := Backlog{Owners: []OwnerBacklog{
		{Owner: Owner{"web", "Deployment", "unseen"}, Unseen: true},
		{Owner: Owner{"web", "Deployment", "waits"}, Lacking: 2, Unscheduled: 1, Starting: 1},
	}}
	const reason, action = "the run ended before the control plane was done: ", "replay in virtual time, or more slowly (--speed)"
	unseen := Deviation{Category: CutShort, Owner: &b.Owners[0].Owner, Count: 1, Reason: reason + "1 pod not created", Action: action}
	waits := Deviation{
		Category: CutShort, Owner: &b.Owners[1].Owner, Count: 4,
		Reason: reason + "2 pods not created, 1 pod not handled by the scheduler, 1 pod not started", Action: action,
	}
	if diff := cmp.Diff([]Deviation{unseen}, b.CutShort("the run ended", true)); diff != "" {
		t.Errorf("of unseen owners (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Deviation{unseen, waits}, b.CutShort("the run ended", false)); diff != "" {
		t.Errorf("of all (-want +got):\n%s", diff)
	}
}
