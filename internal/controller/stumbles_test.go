package controller

import (
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

func TestStumbles(t *testing.T) {
	var s stumbles
	for _, step := range []struct {
		name   string
		forget bool
		want   int
	}{{"a", false, 1}, {"a", false, 2}, {"b", false, 1}, {"a", true, 1}, {"b", false, 2}} {
		if step.forget {
			s.forget(step.name)
		}
		if got := s.count(step.name); got != step.want {
			t.Errorf("%+v: got %d", step, got)
		}
	}
}

// TestSession_Stumble sees that a few errors leave the condition as it is: there is no client here to write it with.
func TestSession_Stumble(t *testing.T) {
	s := &session{controller: &controller{}, sim: simulationIn("Running", metav1.Condition{Type: simkubev1.ConditionReady, Status: metav1.ConditionTrue})}
	wrong := errors.New("etcd is slow")
	for range stumblesTold - 1 {
		if result, err := s.stumble(t.Context(), wrong); !errors.Is(err, wrong) || result.RequeueAfter != 0 {
			t.Errorf("got %v, %v", result, err)
		}
	}
}
