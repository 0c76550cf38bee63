package traceedit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// TestMerge_Itself checks that a trace that is merged with itself stays the same, also if its
// events have several versions of an object, deletions of what they apply, or no objects.
func TestMerge_Itself(t *testing.T) {
	traces := map[string]string{
		"several versions":         "1 +a=1\n5 +a=2 +a=3\n6 -a\n",
		"several at the start":     "1 +a=1 +a=2\n5 +a=3\n",
		"the same version twice":   "1 +a=1\n5 +a=2 +a=2 +a=1\n",
		"there and back":           "1 +a=1\n5 +a=2 +b=1 +a=1\n",
		"made and deleted":         "1\n5 +a=1 -a\n",
		"changed and deleted":      "1 +a=1\n5 +a=2 +a=3 -a\n6 +a=1\n",
		"several, then deleted":    "1 +a=1\n5 +a=2 +a=3\n5 -a\n5 +a=4\n",
		"deleted twice":            "1 +a=1\n5 -a -a\n",
		"an event without objects": "1 +a=1\n5\n9\n",
		"only an empty event":      "1\n",
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		var b strings.Builder
		for at := 1; at < 8; at += r.IntN(3) {
			fmt.Fprint(&b, at)
			for range r.IntN(5) {
				fmt.Fprintf(&b, " +%c=%d", 'a'+rune(r.IntN(3)), r.IntN(3))
			}
			if r.IntN(2) == 0 {
				fmt.Fprintf(&b, " -%c", 'a'+rune(r.IntN(3)))
			}
			b.WriteString("\n")
		}
		traces[fmt.Sprint("seed ", seed)] = b.String()
	}
	for name, lines := range traces {
		t.Run(name, func(t *testing.T) {
			want := parse(t, lines)
			in := write(t, want, "a.sktrace")
			for n := 2; n <= 3; n++ {
				got, _ := merge(t, MergeOptions{}, []Input{in, in, in}[:n]...)
				if diff := cmp.Diff(lines, text(t, got)); diff != "" {
					t.Fatalf("%d times: events (-want +got):\n%s", n, diff)
				}
				if !bytes.Equal(encoded(t, want), encoded(t, got)) {
					t.Errorf("%d times: the bytes differ", n)
				}
			}
		})
	}
}

// TestMerge_ItselfPods checks that pods of unknown creation are not taken for one.
func TestMerge_ItselfPods(t *testing.T) {
	owner := trace.PodOwner{GVK: deploymentKind, Name: "ns/a"}
	x := trace.Extension{EventTimes: [][]uint16{{0}}, Pods: []trace.PodTimes{{Owner: owner, Name: "p", Started: 1000}, {Owner: owner, Name: "p", Started: 5000}}}
	raw, err := x.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, "1 +a=1\n")
	want.Extension = raw
	in := write(t, want, "a.sktrace")
	got, _ := merge(t, MergeOptions{}, in, in)
	if diff := cmp.Diff(want.Extension, got.Extension); diff != "" {
		t.Errorf("x-simkube (-want +got):\n%s", diff)
	}
}

// TestMerge_SameConfiguration merges traces whose configurations are written in different ways.
func TestMerge_SameConfiguration(t *testing.T) {
	replicaSet := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}
	job := schema.GroupVersionKind{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"}
	config := func(deployment, replica, volcano []string) *trace.Trace {
		tr := parse(t, "1 +a=1\n")
		tr.Config.TrackedObjects = map[schema.GroupVersionKind]trace.TrackedObject{
			deploymentKind: {PodSpecTemplatePaths: deployment}, replicaSet: {PodSpecTemplatePaths: replica}, job: {PodSpecTemplatePaths: volcano},
		}
		return tr
	}
	a := write(t, config(nil, []string{"/spec"}, []string{"/spec/a", "/spec/b"}), "a.sktrace")
	b := write(t, config([]string{"/spec/template"}, []string{"/spec/template"}, []string{"/spec/b", "/spec/a", "/spec/a"}), "b.sktrace")
	merge(t, MergeOptions{}, a, b)
	other := write(t, config(nil, nil, []string{"/spec/a"}), "c.sktrace")
	if _, err := Merge(t.Context(), []Input{a, other}, t.TempDir()+"/out", MergeOptions{}); err == nil || !strings.Contains(err.Error(), "configurations of batch.volcano.sh/v1alpha1.Job") {
		t.Errorf("other paths: got %v, want a difference", err)
	}
}
