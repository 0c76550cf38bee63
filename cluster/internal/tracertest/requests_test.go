package tracertest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/tracer"
	"simkube.io/simkube/trace"
)

// podsVariable is the number of pods that are created and deleted while the tracer's requests are
// counted.
const podsVariable = "SIMKUBE_PODS"

// TestRequests checks the tracer's requests while pods churn: nothing is listed after the start,
// and no object is requested by itself if the owners are known. Requests are counted twice: by the
// API server for all clients, and on the tracer's own connections.
func TestRequests(t *testing.T) {
	pods := 500
	if text := os.Getenv(podsVariable); text != "" {
		var err error
		if pods, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	nodesFor(t, "requests", 20)
	namespace := newNamespace(t, "requests")
	deployment := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	counted := &counter{}
	r := record(t, &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		deployment: {TrackLifecycle: true},
	}}, func(o *tracer.Options) { o.Cluster.Wrap(counted.wrap) })

	before, own := lists(t), counted.counts()
	began := time.Now()
	const rounds, perDeployment = 5, 20
	deployments := max(1, pods/rounds/perDeployment)
	for round := range rounds {
		for i := range deployments {
			create(t, namespace, fmt.Sprintf("churn-%d-%d", round, i), perDeployment)
		}
		eventually(t, "the pods to run", func() bool { return count(t, namespace, corev1.PodRunning) == deployments*perDeployment })
		err := env.client.AppsV1().Deployments(namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the pods to be gone", func() bool { return count(t, namespace, "") == 0 })
	}
	total := rounds * deployments * perDeployment
	var recorded *trace.Trace
	eventually(t, "the pods to be recorded", func() bool {
		recorded = r.export(t, began.Add(-time.Second), time.Now().Add(time.Second), simkubev1.ExportFilters{IncludedNamespaces: []string{namespace}})
		n := 0
		for _, byHash := range recorded.Lifecycles {
			for _, list := range byHash {
				for _, l := range list {
					if l.State == trace.Finished {
						n++
					}
				}
			}
		}
		return n == total
	})

	after := lists(t)
	for _, resource := range []string{"deployments", "replicasets", "nodes"} {
		// This test itself lists pods.
		if after[resource] != before[resource] {
			t.Errorf("%s were listed %v times meanwhile, by whomever", resource, after[resource]-before[resource])
		}
	}
	requests := 0
	for what, n := range counted.counts() {
		if n -= own[what]; n > 0 {
			requests += n
			t.Logf("the tracer: %d × %s", n, what)
			if strings.HasPrefix(what, "list") {
				t.Errorf("the tracer listed: %s", what)
			}
		}
	}
	t.Logf("%d pods in %s: %d requests of the tracer, %.4f for each pod", total, time.Since(began).Round(time.Millisecond), requests, float64(requests)/float64(total))
	if requests > total/10 {
		t.Errorf("%d requests for %d pods: owners are asked for one by one", requests, total)
	}
}

func create(t *testing.T, namespace, name string, replicas int32) {
	t.Helper()
	labels := map[string]string{"app": name}
	_, err := env.client.AppsV1().Deployments(namespace).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: func() corev1.PodSpec {
				spec := podSpec(task{image: "example.com/web:1"})
				spec.RestartPolicy = corev1.RestartPolicyAlways
				return spec
			}()},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// count returns the number of pods in a phase, or in any.
func count(t *testing.T, namespace string, phase corev1.PodPhase) int {
	t.Helper()
	pods, err := env.client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, pod := range pods.Items {
		if phase == "" || pod.Status.Phase == phase {
			n++
		}
	}
	return n
}

// lists returns how many list requests the API server has processed, by resource, from its metrics.
// In virtual time it has none, and the tracer's own requests have to be enough.
func lists(t *testing.T) map[string]float64 {
	t.Helper()
	if virtualtime.Enabled {
		return nil
	}
	text, err := env.client.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for line := range bytes.Lines(text) {
		rest, ok := strings.CutPrefix(string(line), "apiserver_request_total{")
		if !ok || !strings.Contains(rest, `verb="LIST"`) {
			continue
		}
		_, resource, _ := strings.Cut(rest, `resource="`)
		resource, _, _ = strings.Cut(resource, `"`)
		_, value, _ := strings.Cut(rest, "} ")
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			t.Fatal(err)
		}
		found[resource] += n
	}
	if len(found) == 0 {
		t.Fatal("the API server has no count of its requests")
	}
	return found
}

// counter counts the requests of a transport, by verb and path.
type counter struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *counter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		verb := "get"
		switch {
		case r.URL.Query().Has("watch"):
			verb = "watch"
		case r.URL.Query().Has("limit"):
			verb = "list"
		}
		c.mu.Lock()
		if c.seen == nil {
			c.seen = map[string]int{}
		}
		c.seen[verb+" "+r.URL.Path]++
		c.mu.Unlock()
		return next.RoundTrip(r)
	})
}

func (c *counter) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
