package results

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
	testclock "k8s.io/utils/clock/testing"

	simkubev1 "simkube.io/simkube/api/v1"
)

func ofSimulation(name string) func(*corev1.Pod) { return labelled(simkubev1.LabelSimulation, name) }

// eventually waits until what the recorder has counted is as wanted; the test's own deadline ends
// it.
func eventually(t *testing.T, rec *Recorder, done func(Counts) bool) {
	t.Helper()
	for !done(rec.Counts()) {
		select {
		case <-t.Context().Done():
			t.Fatalf("not seen: %+v", rec.Counts())
		case <-time.After(time.Millisecond):
		}
	}
}

func TestObserver(t *testing.T) {
	ctx := t.Context()
	client := fake.NewClientset(testNode("n1"), testPod("before", ofSimulation("sim")), testPod("foreign", ofSimulation("other")))
	clock := testclock.NewFakePassiveClock(at(1))
	rec := NewRecorder()
	o, err := Start(ctx, client, rec, Options{PodSelector: SimulationSelector("sim"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rec.Counts(), (Counts{Pending: 1, Nodes: 1, NodesReady: 1}); got != want {
		t.Errorf("once it started: got %+v, want %+v", got, want)
	}

	pods := client.CoreV1().Pods("virtual-web")
	clock.SetTime(at(2.5))
	if _, err := pods.Create(ctx, testPod("p", ofSimulation("sim")), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, rec, func(c Counts) bool { return c.Pending == 2 })
	clock.SetTime(at(3.75))
	if _, err := pods.Update(ctx, testPod("p", ofSimulation("sim"), onNode("n1"), inPhase(corev1.PodRunning)), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, rec, func(c Counts) bool { return c.Running == 1 })
	clock.SetTime(at(4))
	if err := pods.Delete(ctx, "before", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, rec, func(c Counts) bool { return c.Deleted == 1 })
	if err := o.Stop(ctx); err != nil {
		t.Fatal(err)
	}

	type life struct {
		Name                        string
		Created, Scheduled, Deleted time.Time
	}
	var got []life
	for _, p := range rec.Run(info(10)).Pods {
		got = append(got, life{p.Name, p.Created, p.Scheduled, p.Deleted})
	}
	want := []life{
		{"before", trace(1), time.Time{}, trace(4)},
		{"p", trace(2.5), trace(3.75), time.Time{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pods (-want +got):\n%s", diff)
	}
}

// What the watches had no time to deliver, the list at the end brings.
func TestObserver_StopSeesTheEnd(t *testing.T) {
	ctx := t.Context()
	client := fake.NewClientset()
	rec := NewRecorder()
	o, err := Start(ctx, client, rec, Options{Clock: testclock.NewFakePassiveClock(at(1))})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Pods("virtual-web").Create(ctx, testPod("late"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Nodes().Create(ctx, testNode("n1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := rec.Counts(); got != (Counts{}) {
		t.Errorf("after it stopped: got %+v, want nothing", got)
	}
	if err := o.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := rec.Counts(), (Counts{Pending: 1, Nodes: 1, NodesReady: 1}); got != want {
		t.Errorf("after the list: got %+v, want %+v", got, want)
	}
}

func TestObserver_Canceled(t *testing.T) {
	client := fake.NewClientset()
	refuse := errors.New("refused")
	client.PrependReactor("list", "pods", func(k8stesting.Action) (bool, runtime.Object, error) { return true, nil, refuse })
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := Start(ctx, client, NewRecorder(), Options{}); !errors.Is(err, cause) {
		t.Errorf("got error %v, want %v", err, cause)
	}
}

// A first list that is refused is tried again.
func TestObserver_Retries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(testPod("p"))
		var refused atomic.Int32
		client.PrependReactor("list", "pods", func(k8stesting.Action) (bool, runtime.Object, error) {
			if refused.Add(1) <= 2 {
				return true, nil, errors.New("not ready yet")
			}
			return false, nil, nil
		})
		rec := NewRecorder()
		o, err := Start(t.Context(), client, rec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := rec.Counts().Pending; got != 1 {
			t.Errorf("pending: got %d, want 1", got)
		}
		if err := o.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSimulationSelector(t *testing.T) {
	long := "a-simulation-with-a-name-that-is-much-longer-than-labels-can-hold-today"
	for name, want := range map[string]string{
		"sim": "simkube.io/simulation=sim",
		long:  "simkube.io/simulation=" + long[:59] + "XXXX",
	} {
		if got := SimulationSelector(name); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
