package tracer

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

// TestClusterGetter_NamesAreNoPaths checks that the parts of an owner reference are either segments
// of the path, or nothing is requested: who can write one must not choose what the tracer reads.
func TestClusterGetter_NamesAreNoPaths(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	resource := "replicasets"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.EscapedPath())
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/apis/apps/v1" {
			_ = json.NewEncoder(w).Encode(metav1.APIResourceList{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{
				{Name: resource, Kind: "ReplicaSet", Namespaced: true, Verbs: []string{"get"}},
			}})
			return
		}
		_ = json.NewEncoder(w).Encode(metav1.PartialObjectMetadata{
			TypeMeta:   metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "web", UID: "u"},
		})
	}))
	defer server.Close()
	b := newBench(t, &trace.Config{})
	for name, test := range map[string]struct {
		apiVersion, namespace, name, resource string
		want                                  []string
	}{
		"a name":                {"apps/v1", "a", "web", "replicasets", []string{"/apis/apps/v1", "/apis/apps/v1/namespaces/a/replicasets/web"}},
		"a name that leads out": {"apps/v1", "a", "../../../../api/v1/namespaces/kube-system/secrets/x", "replicasets", nil},
		"the folder above":      {"apps/v1", "a", "..", "replicasets", nil},
		"this folder":           {"apps/v1", "a", ".", "replicasets", nil},
		"a name with a slash":   {"apps/v1", "a", "web/status", "replicasets", nil},
		"an escaped slash":      {"apps/v1", "a", "..%2f..%2fsecrets", "replicasets", nil},
		"a namespace":           {"apps/v1", "../../..", "web", "replicasets", nil},
		"a group":               {"../v1", "a", "web", "replicasets", nil},
		"a version":             {"apps/..", "a", "web", "replicasets", nil},
		"a version alone":       {"..", "a", "web", "replicasets", nil},
		"a resource":            {"apps/v1", "a", "web", "../secrets", []string{"/apis/apps/v1"}},
	} {
		t.Run(name, func(t *testing.T) {
			mu.Lock()
			asked, resource = nil, test.resource
			mu.Unlock()
			getter, err := newClusterGetter(&rest.Config{Host: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			gv, err := schema.ParseGroupVersion(test.apiVersion)
			if err != nil {
				t.Fatal(err)
			}
			ref := manifest.OwnerReference{APIVersion: test.apiVersion, Kind: "ReplicaSet", Name: test.name, UID: "u"}
			o := newOwners(10, getter, clock.RealClock{}, b.metrics)
			if _, err := o.ask(t.Context(), gv.WithKind("ReplicaSet"), test.namespace, ref); err != nil {
				t.Errorf("got error %v, want the owner to be taken for one that is gone", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(asked, test.want) {
				t.Errorf("asked for %q, want %q", asked, test.want)
			}
		})
	}
}
