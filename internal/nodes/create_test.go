package nodes

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// fakeCluster returns a client of an API server on which every node becomes ready when it is
// created, except the one named notReady.
func fakeCluster(notReady string) *fake.Clientset {
	client := fake.NewClientset()
	client.PrependReactor("create", "nodes", func(action clienttesting.Action) (bool, runtime.Object, error) {
		node := action.(clienttesting.CreateAction).GetObject().(*corev1.Node).DeepCopy()
		status := corev1.ConditionTrue
		if node.Name == notReady {
			status = corev1.ConditionFalse
		}
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
		return true, node, client.Tracker().Create(action.GetResource(), node, "")
	})
	return client
}

func TestCreate(t *testing.T) {
	client := fakeCluster("")
	var last Progress
	steps := 0
	nodes := Build(40, Shape{})
	nodes[0].Labels["type"] = "gpu" // the nodes of a recorded cluster need not have the default label
	delete(nodes[1].Labels, "type")
	err := Create(t.Context(), client, nodes, func(p Progress) {
		if p.Created < last.Created || p.Ready < last.Ready {
			t.Errorf("got %+v after %+v, want growing numbers", p, last)
		}
		last = p
		steps++
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Progress{Total: 40, Created: 40, Ready: 40}); last != want {
		t.Errorf("got %+v last, want %+v", last, want)
	}
	if want := 80; steps != want {
		t.Errorf("got %d reports, want %d", steps, want)
	}
	list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(list.Items), 40; got != want {
		t.Errorf("got %d nodes, want %d", got, want)
	}
}

func TestCreate_WritesSizesThatWereDropped(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "nodes", func(action clienttesting.Action) (bool, runtime.Object, error) {
		node := action.(clienttesting.CreateAction).GetObject().(*corev1.Node).DeepCopy()
		node.Status = corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}
		return true, node, client.Tracker().Create(action.GetResource(), node, "")
	})
	if err := Create(t.Context(), client, Build(1, Shape{}), nil); err != nil {
		t.Fatal(err)
	}
	node, err := client.CoreV1().Nodes().Get(t.Context(), "node-0001", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := node.Status.Allocatable.Pods().Value(), int64(110); got != want {
		t.Errorf("got %d pods, want %d", got, want)
	}
}

func TestCreate_NotReady(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped")
	err := Create(ctx, fakeCluster("node-0002"), Build(3, Shape{}), func(p Progress) {
		if p.Ready == 2 {
			cancel(stop)
		}
	})
	var notReady *NotReadyError
	if !errors.As(err, &notReady) || !errors.Is(err, stop) {
		t.Fatalf("got %v, want a *NotReadyError that wraps the cause", err)
	}
	const want = "wait for nodes: 1 of 3 are not ready: node-0002 (its Ready condition is not true): stopped"
	if err.Error() != want {
		t.Errorf("got %s, want %s", err, want)
	}
}

func TestCreate_Exists(t *testing.T) {
	client := fakeCluster("")
	if err := Create(t.Context(), client, Build(1, Shape{}), nil); err != nil {
		t.Fatal(err)
	}
	err := Create(t.Context(), client, Build(1, Shape{}), nil)
	if !apierrors.IsAlreadyExists(err) {
		t.Errorf("got %v, want the API server's error", err)
	}
}

func TestNotReadyReason_NotReadyTaint(t *testing.T) {
	node := &corev1.Node{
		Spec:   corev1.NodeSpec{Taints: []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	if got, want := notReadyReason(node), reasonTaint; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
