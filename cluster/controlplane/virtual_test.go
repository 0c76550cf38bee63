package controlplane

import (
	"bytes"
	"runtime/pprof"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// TestVirtual_NoMetricsOfWorkQueues holds that no work queue wakes up twice a second for metrics, see metricsProviderSet.
func TestVirtual_NoMetricsOfWorkQueues(t *testing.T) {
	if !virtualtime.Enabled {
		t.Skip("on the wall clock there are such metrics: idling is no work there")
	}
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(profile.String(), "workqueue.") {
		t.Error("there are no work queues: this test looks for the wrong name")
	}
	if at := strings.Index(profile.String(), "updateUnfinishedWorkLoop"); at >= 0 {
		t.Errorf("a goroutine brings metrics up to date:\n%s", profile.String()[max(0, at-500):at+100])
	}
}

// TestVirtual_NoPriorityAndFairness holds that nobody makes the objects of priority and fairness, see frugalHooks.
func TestVirtual_NoPriorityAndFairness(t *testing.T) {
	if !virtualtime.Enabled {
		t.Skip("on the wall clock they are made, as in every cluster")
	}
	got, err := clientset(t).FlowcontrolV1().FlowSchemas().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(got.Items) > 0 {
		t.Errorf("got %d FlowSchemas, %v, want none", len(got.Items), err)
	}
}
