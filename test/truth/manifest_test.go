package truth

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/trace"
)

const (
	// perNode is the number of pods of an owner that has one on each node.
	perNode = -1
	// someNodes is that of an owner that has one on each node that it selects.
	someNodes = -2
)

// expected is how many pods the specs of a set of manifests ask for, by owner: KIND NAMESPACE/NAME.
type expected map[string]int

// set is a set of manifests that is installed together.
type set struct {
	name string
	path string
	want expected
}

// ownSets returns the sets in testdata. The first line of a file lists what it asks for.
func ownSets(t *testing.T) []set {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in testdata: %v", err)
	}
	var sets []set
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		text, ok := strings.CutPrefix(line, "# want: ")
		if !ok {
			t.Fatalf("%s: the first line must begin with \"# want: \"", path)
		}
		want := expected{}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		sets = append(sets, set{name: strings.TrimSuffix(filepath.Base(path), ".yaml"), path: path, want: want})
	}
	return sets
}

// sharedSets returns the sets of install manifests that are not part of the repository.
func sharedSets(t *testing.T) []set {
	t.Helper()
	dir := prerequisite.Manifests(t)
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Pods [][3]any `json:"pods"`
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	var sets []set
	for _, name := range slices.Sorted(maps.Keys(all)) {
		want := expected{}
		for _, one := range all[name].Pods {
			gvk, err := trace.ParseGVK(one[0].(string))
			if err != nil {
				t.Fatal(err)
			}
			owner := gvk.Kind + " " + one[1].(string)
			switch n := one[2].(type) {
			case float64:
				want[owner] = int(n)
			default:
				if n != "N" {
					t.Fatalf("%s: %s asks for %v pods", name, owner, n)
				}
				want[owner] = perNode
			}
		}
		sets = append(sets, set{name: name, path: filepath.Join(dir, name+".yaml"), want: want})
	}
	return sets
}

const (
	// begin is when the manifests are applied, in unix seconds, and length how long they exist.
	begin  = 1767225600
	length = 1200
)

// templates are the pod templates in kinds that need no configuration in a cluster.
var templates = map[schema.GroupVersionKind][]string{
	{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"}: {"/spec/tasks/*/template"},
	{Version: "v1", Kind: "ReplicationController"}:                {"/spec/template"},
	{Version: "v1", Kind: "PodTemplate"}:                          {"/template"},
}

// writeTrace writes a trace in which the manifests of the sets are applied at once, and returns its
// path.
func writeTrace(t *testing.T, sets ...set) string {
	t.Helper()
	end := &unstructured.Unstructured{}
	end.SetAPIVersion("v1")
	end.SetKind("ConfigMap")
	end.SetNamespace("default")
	end.SetName("last-event")
	objects := []*unstructured.Unstructured{end}
	for _, s := range sets {
		objects = append(objects, s.read(t)...)
	}
	recorded := trace.Trace{Index: trace.Index{}, Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}}
	first := trace.Event{Time: begin}
	for _, u := range objects {
		gvk := u.GroupVersionKind()
		recorded.Config.TrackedObjects[gvk] = trace.TrackedObject{
			PodSpecTemplatePaths: templates[gvk],
			TrackLifecycle:       trace.KnownKind(gvk),
		}
		object, err := trace.NewObject(u)
		if err != nil {
			t.Fatal(err)
		}
		first.Applied = append(first.Applied, object)
	}
	gone, err := trace.NewDeleted(end.GroupVersionKind(), "default/last-event")
	if err != nil {
		t.Fatal(err)
	}
	recorded.Events = []trace.Event{first, {Time: begin + length, Deleted: []trace.Object{gone}}}
	recorded.Index.Record(&first)
	path := filepath.Join(t.TempDir(), sets[0].name+".sktrace")
	if err := recorded.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// key identifies an object as the API server does.
func key(u *unstructured.Unstructured) string {
	return fmt.Sprint(u.GroupVersionKind().GroupKind(), " ", u.GetNamespace(), "/", u.GetName())
}

// read returns the objects of a set as kubectl applies them: those of namespaced kinds without a
// namespace are in default, and of two with the same name the last is kept.
func (s *set) read(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	data, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", s.path, err)
		}
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &u.Object); err != nil {
			t.Fatalf("%s: %v", s.path, err)
		}
		switch {
		case len(u.Object) == 0:
		case u.IsList():
			list, err := u.ToList()
			if err != nil {
				t.Fatalf("%s: %v", s.path, err)
			}
			for i := range list.Items {
				all = append(all, &list.Items[i])
			}
		default:
			all = append(all, u)
		}
	}
	scopes := clusterScoped(all)
	at := map[string]int{}
	var objects []*unstructured.Unstructured
	for i, u := range all {
		switch {
		case scopes[u.GroupVersionKind().GroupKind()]:
			u.SetNamespace("")
		case u.GetNamespace() == "":
			u.SetNamespace("default")
		}
		if u.GetName() == "" {
			u.SetName(fmt.Sprint(u.GetGenerateName(), "g", i))
			u.SetGenerateName("")
		}
		if first, seen := at[key(u)]; seen {
			objects[first] = u
			continue
		}
		at[key(u)] = len(objects)
		objects = append(objects, u)
	}
	return objects
}

// clusterScoped returns the kinds without a namespace among those that objects are of: built-in
// ones, and those that the objects define.
func clusterScoped(objects []*unstructured.Unstructured) map[schema.GroupKind]bool {
	scopes := map[schema.GroupKind]bool{}
	for _, kind := range []schema.GroupKind{
		{Kind: "Namespace"},
		{Kind: "PersistentVolume"},
		{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
		{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"},
		{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"},
		{Group: "storage.k8s.io", Kind: "StorageClass"},
		{Group: "storage.k8s.io", Kind: "CSIDriver"},
		{Group: "scheduling.k8s.io", Kind: "PriorityClass"},
		{Group: "node.k8s.io", Kind: "RuntimeClass"},
		{Group: "networking.k8s.io", Kind: "IngressClass"},
		{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"},
		{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"},
		{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"},
		{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"},
		{Group: "apiregistration.k8s.io", Kind: "APIService"},
	} {
		scopes[kind] = true
	}
	for _, u := range objects {
		if u.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(u.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(u.Object, "spec", "names", "kind")
		scope, _, _ := unstructured.NestedString(u.Object, "spec", "scope")
		scopes[schema.GroupKind{Group: group, Kind: kind}] = scope == "Cluster"
	}
	return scopes
}
