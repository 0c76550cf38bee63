package controlplane

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// TestWorkQueues_Metrics checks that work queues wake up twice a second for metrics on the wall
// clock, as in every cluster, and do not in virtual time, where idling is expensive: see
// metricsProviderSet.
func TestWorkQueues_Metrics(t *testing.T) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(profile.String(), "workqueue.") {
		t.Fatal("there are no work queues: this test looks for the wrong name")
	}
	if got := strings.Contains(profile.String(), "updateUnfinishedWorkLoop"); got == virtualtime.Enabled {
		t.Errorf("goroutines bring metrics up to date: got %v in virtual time: %v", got, virtualtime.Enabled)
	}
}

// TestPriorityAndFairness_Objects checks that the objects of priority and fairness are created on
// the wall clock, as in every cluster, and not in virtual time: see minimalHooks.
func TestPriorityAndFairness_Objects(t *testing.T) {
	got, err := clientset(t).FlowcontrolV1().FlowSchemas().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(got.Items) > 0 == virtualtime.Enabled {
		t.Errorf("got %d FlowSchemas, %v, in virtual time: %v", len(got.Items), err, virtualtime.Enabled)
	}
}

// TestMetrics checks that the API server serves its metrics on the wall clock, as in every cluster,
// and not in virtual time: see minimize.
func TestMetrics(t *testing.T) {
	_, err := clientset(t).CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if virtualtime.Enabled && !apierrors.IsNotFound(err) || !virtualtime.Enabled && err != nil {
		t.Errorf("got %v in virtual time: %v", err, virtualtime.Enabled)
	}
}

// TestNetwork_Others checks that requests to others than the API server fail with an explanation in
// virtual time, and reach them on the wall clock.
func TestNetwork_Others(t *testing.T) {
	if virtualtime.Enabled {
		res, err := (&http.Transport{}).RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:1/", nil))
		if err == nil {
			res.Body.Close()
		}
		if !errors.Is(err, errNoNetwork) {
			t.Errorf("got %v, want %v", err, errNoNetwork)
		}
		return
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}
