package traceconvert

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

// convertText converts a text and returns the kinds and names in the first event, in order.
func convertText(t *testing.T, text string, opts Options) ([]string, Summary) {
	t.Helper()
	input := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(input, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	opts.Name = "in"
	tr, summary := convertFile(t, input, opts)
	var names []string
	for _, o := range tr.Events[0].Applied {
		names = append(names, o.GVK().Kind+" "+o.NamespacedName())
		u, err := o.Unstructured()
		if err != nil {
			t.Fatal(err)
		}
		if got := trace.NamespacedName(u.GetNamespace(), u.GetName()); got != o.NamespacedName() {
			t.Errorf("the manifest of %s has the name %s", o.NamespacedName(), got)
		}
	}
	return names, summary
}

// TestConvert_Manifests converts manifests that kubectl apply accepts.
func TestConvert_Manifests(t *testing.T) {
	const (
		a     = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
		b     = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: x}\n"
		thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n"
		crd   = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n" +
			"spec: {group: example.com, scope: SCOPE, names: {kind: Thing, plural: things}, versions: [{name: v1}]}\n"
	)
	cluster, namespaced := strings.Replace(crd, "SCOPE", "Cluster", 1), strings.Replace(crd, "SCOPE", "Namespaced", 1)
	both := []string{"ConfigMap default/a", "ConfigMap x/b"}
	for name, test := range map[string]struct {
		text string
		want []string
		note string
	}{
		"without a namespace":      {a + "---\n" + b, both, ""},
		"carriage returns":         {strings.ReplaceAll(a+"---\n"+b, "\n", "\r\n"), both, ""},
		"byte order marks":         {"\ufeff" + a + "\ufeff---\n\ufeff" + b, both, ""},
		"empty documents":          {"---\n---\n# Source: x\n---\n\n" + a + "---\n---\n" + b + "---\n# end\n...\n---\n", both, ""},
		"null documents":           {a + "---\nnull\n---\n~\n---\n" + b, both, ""},
		"comments on separators":   {"--- # a\n" + a + "---# b\n" + b, both, ""},
		"content on separators":    {"%YAML 1.2\n---\n" + a + "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: x}}\n", both, ""},
		"separators in text":       {a + "data:\n  x: |\n    ---\n    kind: NotAnObject\n---\n" + b, both, ""},
		"separators without space": {a + "---   \n" + b, both, ""},
		"json":                     {`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}`, both[:1], ""},
		"long comment first":       {strings.Repeat("# Source: x\n", 10_000) + a, both[:1], ""},
		"long line":                {a + "data: {x: " + strings.Repeat("y", 300<<10) + "}\n---\n" + b, both, ""},
		"list": {
			"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- apiVersion: v1\n  kind: List\n" +
				"  items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: x}}]\n", both, "",
		},
		"list without items":   {"apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\n---\n" + a, both[:1], ""},
		"list of one kind":     {"apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n- metadata: {name: b, namespace: x}\n", both, ""},
		"applied twice":        {a + "---\n" + a, both[:1], ""},
		"system namespace":     {"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, namespace: kube-system, creationTimestamp: null}\n", []string{"DaemonSet kube-system/d"}, ""},
		"cluster-scoped":       {"apiVersion: v1\nkind: Namespace\nmetadata: {name: x, namespace: other}\n---\n" + b, []string{"Namespace x", "ConfigMap x/b"}, ""},
		"definition first":     {cluster + "---\n" + thing, []string{"CustomResourceDefinition things.example.com", "Thing t"}, ""},
		"definition last":      {"apiVersion: v1\nkind: List\nitems: []\n---\n" + thing + "---\n" + cluster, []string{"Thing t", "CustomResourceDefinition things.example.com"}, ""},
		"namespaced":           {thing + "---\n" + namespaced, []string{"Thing default/t", "CustomResourceDefinition things.example.com"}, ""},
		"no definition":        {thing, []string{"Thing default/t"}, "no CustomResourceDefinition in the input says whether these kinds have a namespace; their objects are in the namespace default: Thing.example.com"},
		"recorded":             {"apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, uid: u}\n", []string{"Thing t"}, ""},
		"class":                {"apiVersion: example.com/v1\nkind: ThingClass\nmetadata: {name: t}\n", []string{"ThingClass t"}, ""},
		"generated names":      {"apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\n", []string{"Job default/j-mwvzw", "Job default/j-sl9kj"}, "2 objects with generateName got names"},
		"a key twice":          {"\n" + a + "data: {}\n---\n" + b + "data:\n  k: 1\n  k: 2\n", both, `in: line 12: the key "k" is there twice (the last value is used, as by kubectl apply)`},
		"a definition's list":  {"apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: l, namespace: x}\n", []string{"AllowList x/l"}, ""},
		"json lines":           {`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}` + "\n---\n" + `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": "x"}}`, both, ""},
		"an owner by its name": {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: d}]}\n", []string{"Deployment default/d"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, summary := convertText(t, test.text, Options{})
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if test.note != "" && !slices.Contains(summary.Notes, test.note) || test.note == "" && len(summary.Notes) > 0 {
				t.Errorf("notes: got %q, want %q", summary.Notes, test.note)
			}
		})
	}
}

// TestConvert_LeftOut checks that the summary says what the filters leave out.
func TestConvert_LeftOut(t *testing.T) {
	const text = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system, uid: a, creationTimestamp: "2025-01-01T00:00:00Z"}}
- {apiVersion: v1, kind: Secret, metadata: {name: a, namespace: kube-system}}
- {apiVersion: v1, kind: Namespace, metadata: {name: kube-public}}
- {apiVersion: v1, kind: Node, metadata: {name: n1}}
- {apiVersion: v1, kind: Endpoints, metadata: {name: e}}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: kube-system}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
`
	got, summary := convertText(t, text, Options{})
	if diff := gocmp.Diff([]string{"ConfigMap default/b"}, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(map[string]int{"kube-system": 2, "kube-public": 1}, summary.LeftOutNamespaces); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(map[string]int{"Endpoints": 1, "Role.rbac.authorization.k8s.io": 1}, summary.LeftOutKinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	got, _ = convertText(t, text, Options{ExcludedNamespaces: []string{}})
	if len(got) != 4 {
		t.Errorf("without excluded namespaces: got %q", got)
	}
}

// TestConvert_SimulatorFiles converts the same records in the forms that the versions of
// kube-scheduler-simulator, and editors, write.
func TestConvert_SimulatorFiles(t *testing.T) {
	record := func(name, data string) string {
		return `{"time": "2025-01-01T00:00:00Z", "event": "Add", "resource": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "` + name + `", "namespace": "x"}, "data": {"k": "` + data + `"}}}`
	}
	a, b := record("a", "1"), record("b", "2")
	long := strings.Repeat("z", 200<<10)
	late := `{"resource": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "x"}, "data": {"k": "` + long + `"}}, "event": "Add", "time": "2025-01-01T00:00:00Z"}`
	for name, text := range map[string]string{
		"lines":               a + "\n" + b + "\n",
		"carriage returns":    a + "\r\n" + b + "\r\n",
		"without lines":       a + b,
		"array":               "[" + a + ",\n" + b + "]",
		"concatenated arrays": "[" + a + "]\n[" + b + "]",
		"arrays on one line":  "[" + a + "][][" + b + "]",
		"an array and lines":  "[" + a + "]\n" + b,
		"byte order marks":    "\ufeff[" + a + "]\n\ufeff[" + b + "]\n",
		"white space":         "\n\n\t " + a + "\n\n" + b + "\n\n",
		"long first record":   record("a", long) + "\n" + b,
		"long first array":    "[\n" + record("a", long) + ",\n" + b + "]",
		"resource first":      late + "\n" + b,
	} {
		t.Run(name, func(t *testing.T) {
			got, summary := convertText(t, text, Options{})
			if diff := gocmp.Diff([]string{"ConfigMap x/a", "ConfigMap x/b"}, got); diff != "" || summary.From != SchedulerSimulator {
				t.Errorf("objects of %s (-want +got):\n%s", summary.From, diff)
			}
		})
	}
}
