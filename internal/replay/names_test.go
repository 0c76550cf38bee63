package replay

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"simkube.io/simkube/trace"
)

// paths are names that would change the path of a URL.
var paths = []string{"..", ".", "../../prod/configmaps/x", "../../../nodes/node-0001", "a/b", "a%2fb", "%2e%2e"}

// No request is sent for a name or a namespace that is a path.
func TestCluster_names(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s", r.Method, r.URL)
	}))
	defer server.Close()
	c, err := newCluster(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range paths {
		for _, at := range []place{
			{resource: podResource(), namespace: "ns", name: name},
			{resource: podResource(), namespace: name, name: "pod"},
			{resource: namespaceResource(), name: name},
		} {
			_, getErr := c.get(t.Context(), at)
			_, applyErr := c.apply(t.Context(), at, []byte("{}"))
			_, createErr := c.create(t.Context(), at, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pod"}})
			for verb, err := range map[string]error{
				"get": getErr, "apply": applyErr, "create": createErr,
				"delete":           c.delete(t.Context(), at, metav1.DeleteOptions{}),
				"deleteCollection": c.deleteCollection(t.Context(), at, metav1.DeleteOptions{}, ""),
			} {
				if category, passing := classify(err); err == nil || category != Malformed || passing {
					t.Errorf("%s %+v: error %v of category %s, want %s", verb, at, err, category, Malformed)
				}
			}
		}
	}
}

// An object whose name is a path is a problem. No request is sent for it, not even for a namespace.
func TestRun_names(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		var applied, deleted []string
		for _, name := range paths {
			applied = append(applied, configMap("ns", `"`+name+`"`), configMap(`"`+name+`"`, "x"), podManifest(`"`+name+`"`, "x"),
				`{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: "`+name+`"}}`,
				`{apiVersion: v1, kind: Namespace, metadata: {name: "`+name+`"}}`)
		}
		deleted = append(deleted, applied...)
		report, _, err := replayed(t, target, Options{}, Plan{}, event(t, 0, applied, nil), event(t, 1, nil, deleted))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := report.ProblemCounts[Malformed], 2*len(applied); got != want || len(report.ProblemCounts) != 1 {
			t.Errorf("problems = %v, want %d of category %s", report.ProblemCounts, want, Malformed)
		}
		if report.Applied+report.Deleted > 0 || len(target.log) != 1 {
			t.Errorf("requests: %v, want that for the root alone", target.log)
		}
	})
}

// A deletion is for the object that was created. Another object with its name is not deleted,
// unless it has a reference to the root.
func TestRun_deletesByUID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		at := place{resource: podResource().GroupVersion().WithResource("configmaps"), namespace: "virtual-ns", name: "x"}
		var owners []metav1.OwnerReference
		replaceFirst := func(e EventReport) {
			if e.Index > 0 {
				return
			}
			target.mu.Lock()
			defer target.mu.Unlock()
			target.objects[at].UID, target.objects[at].OwnerReferences = "another", owners
		}
		engine, err := newEngine(target, Options{Simulation: "sim", Shared: true, OnEvent: replaceFirst})
		if err != nil {
			t.Fatal(err)
		}
		root, err := engine.CreateRoot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		one := []string{configMap("ns", "x")}
		for _, c := range []struct {
			name     string
			owners   []metav1.OwnerReference
			gone     bool
			problems int
		}{
			{"somebody else's", nil, false, 1},
			{"the simulation's", []metav1.OwnerReference{rootReference(root)}, true, 0},
		} {
			owners = c.owners
			events := sequence([]trace.Event{event(t, 0, one, nil), event(t, 2, nil, one)})
			report, err := engine.Run(t.Context(), Plan{Origin: origin, Events: events})
			if err != nil {
				t.Fatal(err)
			}
			if gone := target.objects[at] == nil; gone != c.gone || report.ProblemCounts[NotOurs] != c.problems {
				t.Errorf("%s: gone = %v, problems = %v; want %v and %d of category %s", c.name, gone, report.ProblemCounts, c.gone, c.problems, NotOurs)
			}
		}
	})
}
