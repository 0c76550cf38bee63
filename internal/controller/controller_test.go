package controller

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	simkubev1 "simkube.io/simkube/api/v1"
)

// statusOnly is a client that accepts every patch of a status and can do nothing else.
type statusOnly struct{ client.Client }

func (statusOnly) Status() client.SubResourceWriter { return statusWriter{} }

type statusWriter struct{ client.SubResourceWriter }

func (statusWriter) Patch(context.Context, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
	return nil
}

// The condition Ready stays as it is for the first errors in a row, and reports the one after them.
func TestSession_Retry(t *testing.T) {
	queue := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, time.Minute)
	s := &session{
		controller: &controller{
			opts: Options{Clock: clocktesting.NewFakePassiveClock(at(0))}, client: statusOnly{}, recorder: events.NewFakeRecorder(9), retries: queue,
		},
		log: slog.New(slog.DiscardHandler),
		sim: simulationIn("Running", metav1.Condition{Type: simkubev1.ConditionReady, Status: metav1.ConditionTrue}),
	}
	want := errors.New("etcd is slow")
	fail := func() *metav1.Condition {
		t.Helper()
		if result, err := s.retry(t.Context(), want); !errors.Is(err, want) || result.RequeueAfter != 0 {
			t.Errorf("got %v, %v", result, err)
		}
		queue.When(requestFor(s.sim.Name)) // as controller-runtime does after an error
		return conditionOf(s.sim, simkubev1.ConditionReady)
	}
	for range 2 {
		for range silentRetries {
			if got := fail(); got.Status != metav1.ConditionTrue {
				t.Errorf("got %+v, want it unchanged", got)
			}
		}
		queue.Forget(requestFor(s.sim.Name)) // as it does after a success
	}
	for range silentRetries {
		fail()
	}
	if got := fail(); got.Status != metav1.ConditionFalse || got.Reason != reasonError || got.Message != want.Error() {
		t.Errorf("got %+v, want the error", got)
	}
}
