package controller

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestDescribeDeletion(t *testing.T) {
	going := metav1.NewTime(at(100))
	pod := func(node string, going *metav1.Time, finalizers ...string) client.Object {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "simkube", Name: "driver-a", DeletionTimestamp: going, Finalizers: finalizers},
			Spec:       corev1.PodSpec{NodeName: node},
		}
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "simkube", Name: "svc", DeletionTimestamp: &going}}
	for name, tc := range map[string]struct {
		object client.Object
		now    int
		reason string
		want   []string
	}{
		"not going yet":      {pod("real-1", nil), 9999, reasonCleaningUp, []string{"Waiting until Pod simkube/driver-a is deleted."}},
		"in its grace":       {pod("real-1", &going), 90, reasonCleaningUp, []string{"driver-a"}},
		"a little late":      {pod("real-1", &going), 159, reasonCleaningUp, nil},
		"a dead node":        {pod("real-1", &going), 160, reasonStuck, []string{"node real-1", "kubectl delete pod -n simkube driver-a --force", "2030-01-01T00:01:40Z"}},
		"held by somebody":   {pod("real-1", &going, "example.com/mine"), 160, reasonStuck, []string{"example.com/mine"}},
		"without a node":     {pod("", &going), 160, reasonStuck, []string{"garbage collector"}},
		"a service, in time": {service, 100, reasonCleaningUp, []string{"Service simkube/svc"}},
		"a service, late":    {service, 200, reasonStuck, []string{"Service simkube/svc", "garbage collector"}},
	} {
		reason, message := describeDeletion(tc.object, at(tc.now))
		if reason != tc.reason {
			t.Errorf("%s: got reason %s, want %s", name, reason, tc.reason)
		}
		for _, part := range tc.want {
			if !strings.Contains(message, part) {
				t.Errorf("%s: got %q, want a part %q", name, message, part)
			}
		}
	}
	if !deletionDeadline(pod("", nil)).After(at(0).Add(100 * 365 * 24 * time.Hour)) {
		t.Error("a pod that is not being deleted comes before one that is stuck")
	}
}
