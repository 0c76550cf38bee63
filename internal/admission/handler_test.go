package admission

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/mutate"
)

// owners has one ReplicaSet, whose Deployment is owned by the root.
type owners struct{}

func (owners) GetOwner(_ context.Context, ref metav1.OwnerReference, namespace string) (*metav1.PartialObjectMetadata, error) {
	owner := map[string]metav1.OwnerReference{
		"web-1": {APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "web"},
		"web":   {APIVersion: "simkube.io/v1", Kind: "SimulationRoot", Name: "r", UID: "root"},
	}
	if _, ok := owner[ref.Name]; !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, ref.Name)
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: ref.Name, UID: ref.UID, OwnerReferences: []metav1.OwnerReference{owner[ref.Name]},
	}}, nil
}

func newHandler(t testing.TB, registerer prometheus.Registerer) *Handler {
	t.Helper()
	m, err := mutate.New(mutate.Config{Simulation: "sim", Shared: true, Root: mutate.Root{Name: "r", UID: "root"}, Owners: owners{}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Options{Mutator: func() *mutate.Mutator { return m }, Registerer: registerer})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// good is the request of an API server for a pod of a Deployment.
const good = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u1",
"kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},
"namespace":"virtual-ns","operation":"CREATE","dryRun":false,"object":{"kind":"Pod","apiVersion":"v1",
"metadata":{"generateName":"web-1-","labels":{"app":"web"},"ownerReferences":[{"apiVersion":"apps/v1",
"kind":"ReplicaSet","name":"web-1","uid":"web-1","controller":true}]},
"spec":{"nodeName":"real","containers":[{"name":"main","image":"x"}]}}}}`

func post(t testing.TB, h http.Handler, body string) (int, *admissionv1.AdmissionResponse) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/mutate", strings.NewReader(body)))
	if w.Code != http.StatusOK {
		return w.Code, nil
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &review); err != nil || review.Response == nil {
		t.Fatalf("answer %s: %v", w.Body, err)
	}
	return w.Code, review.Response
}

func TestHandler(t *testing.T) {
	registry := prometheus.NewRegistry()
	h := newHandler(t, registry)
	for _, test := range []struct {
		name, old, new string
		status         int
		allowed        bool
		code           int32
		patch          string // a part of it
	}{
		{name: "good", status: 200, allowed: true, patch: `{"op":"remove","path":"/spec/nodeName"}`},
		{name: "labels stay", status: 200, allowed: true, patch: `"app":"web"`},
		{name: "number", status: 200, allowed: true, patch: `sequence-number":"2"`},
		{name: "dry run", old: `"dryRun":false`, new: `"dryRun":true`, status: 200, allowed: true, patch: `sequence-number":"3"`},
		{name: "dry run counts nothing", status: 200, allowed: true, patch: `sequence-number":"3"`},
		{name: "nobody's", old: `"ownerReferences"`, new: `"others"`, status: 200, allowed: true},
		{name: "no json", old: "{", new: "", status: 400},
		{name: "other version", old: "k8s.io/v1", new: "k8s.io/v1beta1", status: 400},
		{name: "no uid", old: `"uid":"u1"`, new: `"uid":""`, status: 400},
		{name: "no request", old: `"request"`, new: `"x"`, status: 400},
		{name: "too large", old: "{", new: strings.Repeat(" ", maxReview) + "{", status: 413},
		{name: "other resource", old: `"pods"`, new: `"nodes"`, status: 200, code: 400},
		{name: "other operation", old: "CREATE", new: "UPDATE", status: 200, code: 400},
		{name: "no namespace", old: "virtual-ns", new: "", status: 200, code: 400},
		{name: "no pod", old: `"object":{"kind":"Pod"`, new: `"object":{"kind":"Node"`, status: 200, code: 400},
		{name: "no spec", old: `"spec"`, new: `"x"`, status: 200, code: 400},
		{name: "wrong pod", old: `"labels":{`, new: `"labels":{"a":1,`, status: 200, code: 400},
		{name: "owner is gone", old: `"name":"web-1","uid":"web-1"`, new: `"name":"gone","uid":"gone"`, status: 200, code: 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, response := post(t, h, strings.Replace(good, test.old, test.new, 1))
			if status != test.status {
				t.Fatalf("status = %d, want %d", status, test.status)
			}
			if response == nil {
				return
			}
			if response.UID != "u1" || response.Allowed != test.allowed {
				t.Errorf("response = %+v, want allowed %v", response, test.allowed)
			}
			if !test.allowed && (response.Result.Code != test.code || response.Result.Message == "") {
				t.Errorf("result = %+v, want %d and why", response.Result, test.code)
			}
			if got := string(response.Patch); !strings.Contains(got, test.patch) || (test.patch == "") != (got == "") {
				t.Errorf("patch = %s, want %s in it", got, test.patch)
			}
		})
	}
	if got := testutil.ToFloat64(h.metrics.reviews.WithLabelValues(resultMutated)); got != 5 {
		t.Errorf("%v reviews are counted as mutated, want 5", got)
	}
	if _, err := New(Options{Mutator: h.mutator, Registerer: registry}); err == nil {
		t.Error("metrics are registered twice")
	}
}

func TestHandler_FailsClosed(t *testing.T) {
	for name, test := range map[string]struct {
		mutator func() *mutate.Mutator
		code    int32
	}{
		"not ready": {func() *mutate.Mutator { return nil }, 503},
		"panic":     {func() *mutate.Mutator { panic("x") }, 500},
	} {
		h, err := New(Options{Mutator: test.mutator})
		if err != nil {
			t.Fatal(err)
		}
		if _, r := post(t, h, good); r == nil || r.Allowed || r.UID != "u1" || r.Result.Code != test.code {
			t.Errorf("%s: response = %+v, want %d", name, r, test.code)
		}
	}
}

func FuzzReview(f *testing.F) {
	f.Add(good)
	f.Add(strings.Replace(good, "CREATE", "DELETE", 1))
	f.Add(`{"request":null}`)
	h := newHandler(f, nil)
	f.Fuzz(func(t *testing.T, body string) {
		_, response := post(t, h, body)
		if response == nil || !response.Allowed {
			return
		}
		request, _, err := readReview(strings.NewReader(body))
		if err != nil {
			t.Fatalf("allowed, but %v", err)
		}
		if _, err := podOf(request); err != nil {
			t.Fatalf("allowed, but %v", err)
		}
	})
}
