package nodes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestReadManifests(t *testing.T) {
	const text = `# one of ours, complete
apiVersion: v1
kind: Node
metadata:
  name: a
  labels: {type: virtual, kubernetes.io/hostname: a, kubernetes.io/os: linux, kubernetes.io/arch: amd64, disktype: ssd}
  annotations: {kwok.x-k8s.io/node: fake, note: kept}
spec:
  taints: [{key: kwok-provider, value: "true", effect: NoSchedule}]
status:
  allocatable: {cpu: "4", memory: 8Gi, pods: "10"}
  capacity: {cpu: "5"}
---
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata:
    name: b
    uid: 0f3f
    resourceVersion: "12"
    labels: {type: gpu, kubernetes.io/arch: arm64}
  spec:
    podCIDR: 10.1.0.0/24
    taints:
    - {key: node.kubernetes.io/memory-pressure, effect: NoSchedule}
    - {key: dedicated, value: x, effect: NoSchedule}
  status:
    capacity: {cpu: "8", memory: 16Gi}
    conditions: [{type: Ready, status: "True"}]
`
	nodes, notes, err := ReadManifests(strings.NewReader(text), "nodes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	wantNotes := []string{
		"nodes.yaml: added 110 pods to allocatable for 1 of 2 nodes",
		"nodes.yaml: added the annotation kwok.x-k8s.io/node=fake for 1 of 2 nodes",
		"nodes.yaml: added the label kubernetes.io/hostname for 1 of 2 nodes",
		"nodes.yaml: added the label kubernetes.io/os=linux for 1 of 2 nodes",
		"nodes.yaml: copied allocatable from capacity for 1 of 2 nodes",
		"nodes.yaml: removed the taint kwok-provider=true:NoSchedule for 1 of 2 nodes",
	}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Error(diff)
	}
	a, b := nodes[0], nodes[1]
	if got, want := a.Annotations["note"], "kept"; got != want {
		t.Errorf("got annotation %q, want %q", got, want)
	}
	wantSize := amounts{"cpu": 5000, "memory": 8 << 30, "pods": 10}
	if diff := cmp.Diff(wantSize, amountsOf(a.Status.Capacity)); diff != "" {
		t.Errorf("capacity of a: %s", diff)
	}
	wantSize = amounts{"cpu": 8000, "memory": 16 << 30, "pods": 110}
	if diff := cmp.Diff(wantSize, amountsOf(b.Status.Allocatable)); diff != "" {
		t.Errorf("allocatable of b: %s", diff)
	}
	wantTaints := []corev1.Taint{{Key: "dedicated", Value: "x", Effect: "NoSchedule"}}
	if diff := cmp.Diff(wantTaints, b.Spec.Taints); diff != "" {
		t.Error(diff)
	}
	if b.UID != "" || b.ResourceVersion != "" || b.Spec.PodCIDR != "" || b.Status.Conditions != nil {
		t.Errorf("got %+v, want nothing of the cluster it was taken from", b)
	}
	if got, want := b.Labels["kubernetes.io/arch"], "arm64"; got != want {
		t.Errorf("got architecture %s, want %s", got, want)
	}
}

func TestReadManifests_NotReadyAndCordoned(t *testing.T) {
	node := func(name, spec, conditions string) string {
		return fmt.Sprintf("---\napiVersion: v1\nkind: Node\nmetadata: {name: %s}\nspec: {%s}\nstatus: {capacity: {cpu: 4, memory: 8Gi, pods: 10}, conditions: [%s]}\n", name, spec, conditions)
	}
	left := node("down", "", "{type: Ready, status: 'False'}") +
		node("lost", "", "{type: Ready, status: Unknown}") +
		node("tainted", "taints: [{key: node.kubernetes.io/unreachable, effect: NoSchedule}]", "")
	nodes, notes, err := ReadManifests(strings.NewReader(left+
		node("fine", "", "{type: Ready, status: 'True'}")+
		node("cordoned", "unschedulable: true", "")+
		node("cordoned-by-taint", "taints: [{key: node.kubernetes.io/unschedulable, effect: NoSchedule}]", "")), "nodes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, node := range nodes {
		got = append(got, fmt.Sprintf("%s %t", node.Name, node.Spec.Unschedulable))
	}
	if diff := cmp.Diff([]string{"fine false", "cordoned true", "cordoned-by-taint true"}, got); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"nodes.yaml: left out 3 nodes, not ready when recorded: down, lost and tainted",
		"nodes.yaml: 2 nodes cordoned when recorded, which run only pods of DaemonSets: cordoned and cordoned-by-taint",
	}
	if diff := cmp.Diff(want, notes[len(notes)-2:]); diff != "" {
		t.Error(diff)
	}
	if _, _, err := ReadManifests(strings.NewReader(left), "nodes.yaml"); err == nil || err.Error() != "nodes.yaml: none of its 3 nodes is ready" {
		t.Errorf("got %v, want an error about nodes that are not ready", err)
	}
}

func TestReadManifests_JSON(t *testing.T) {
	const text = `{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"},"status":{"capacity":{"cpu":"1"}}}
		{"apiVersion":"v1","kind":"NodeList","items":[{"apiVersion":"v1","kind":"Node","metadata":{"name":"b"},"status":{"capacity":{"cpu":"1"}}}]}`
	nodes, _, err := ReadManifests(strings.NewReader(text), "nodes.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 2 || nodes[0].Name != "a" || nodes[1].Name != "b" {
		t.Errorf("got %v, want nodes a and b", nodes)
	}
}

func TestReadManifests_Errors(t *testing.T) {
	node := func(name string) string {
		return "apiVersion: v1\nkind: Node\nmetadata: {name: " + name + "}\nstatus: {capacity: {cpu: 1}}\n"
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "# nothing\n", []string{"nodes.yaml: contains no Node manifest"}},
		{
			"several at once",
			node("a") + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: b}\n---\n" + node("a"),
			[]string{
				`nodes.yaml: document 2: v1.Pod "p" is not a v1.Node`,
				`nodes.yaml: document 3: Node "b" has neither status.allocatable nor status.capacity: set cpu, memory and pods`,
				`nodes.yaml: document 4: Node "a" is a duplicate, first defined in document 1`,
			},
		},
		{"no name", strings.Replace(node("a"), "name: a", "uid: a", 1), []string{"nodes.yaml: document 1: Node without metadata.name"}},
		{
			"bad name", node("A_b"),
			[]string{`nodes.yaml: document 1: Node "A_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		},
		{"not a manifest", "just text\n", []string{"nodes.yaml: document 1: not a manifest: json: cannot unmarshal string into Go value of type nodes.manifestHead"}},
		{"no kind", "a: 1\n", []string{`nodes.yaml: document 1: an object without a kind is not a v1.Node`}},
		{"in a list", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n", []string{`nodes.yaml: document 1, item 1: v1.Secret "s" is not a v1.Node`}},
		{"bad quantity", strings.Replace(node("a"), "cpu: 1", "cpu: x", 1), []string{"nodes.yaml: document 1: decode Node: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"}},
		{"broken YAML", "a: [\n", []string{"nodes.yaml: document 1: yaml: line 1: did not find expected node content"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := ReadManifests(strings.NewReader(test.text), "nodes.yaml")
			if err == nil {
				t.Fatal("got no error")
			}
			if diff := cmp.Diff(strings.Join(test.want, "\n"), err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzReadManifests(f *testing.F) {
	f.Add("apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {capacity: {cpu: 1}}\n---\n")
	f.Add(`{"apiVersion":"v1","kind":"List","items":[null,{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		nodes, _, err := ReadManifests(strings.NewReader(text), "f")
		if err == nil && len(nodes) == 0 {
			t.Error("got neither nodes nor an error")
		}
	})
}
