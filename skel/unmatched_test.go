package skel

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

const unmatchedObjects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app.kubernetes.io/name: web}}
spec: {replicas: 2, template: {spec: {containers: [{name: c, image: i, env: [{name: A, value: b}]}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {a: b}
`

// TestProgram_Unmatched checks which commands are said to change nothing, and the hints.
func TestProgram_Unmatched(t *testing.T) {
	in := &trace.Trace{Events: []trace.Event{{Time: 1700000000}}, Index: trace.Index{}}
	vocabulary := NewVocabulary()
	for _, text := range strings.Split(unmatchedObjects, "---") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
			t.Fatal(err)
		}
		o, err := trace.NewObject(u)
		if err != nil {
			t.Fatal(err)
		}
		in.Events[0].Applied = append(in.Events[0].Applied, o)
		if err := vocabulary.Add(&o); err != nil {
			t.Fatal(err)
		}
	}
	matched := "matched"
	for program, want := range map[string]string{
		`remove(data);`:                                    matched,
		`delete(kind == "Deployment");`:                    matched,
		`modify(kind == "Deployment", spec.replicas = 3);`: matched,
		`insert(0s, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n"}});`: matched,
		`scale(kind == "Deployment", 2);`:                                          matched,
		`remove($c := spec.template.spec.containers[*] | $c.name == "c", $c.env);`: matched,
		`delete(metadata.labels."app.kubernetes.io/name" == "web");`:               matched,
		`delete(kind == "Deploymnet");`:                                            `no object has the kind "Deploymnet": did you mean "Deployment"?`,
		`delete(kind == "deployment");`:                                            `no object has the kind "deployment": did you mean "Deployment"?`,
		`delete(kind == "Job");`:                                                   `no object has the kind "Job"`,
		`delete(kind in ["Pods", "Job"]);`:                                         `no object has the kind "Pods"; no object has the kind "Job"`,
		`delete(@gvk == "v1.Deployment");`:                                         `no object has the kind "v1.Deployment": did you mean "apps/v1.Deployment"?`,
		`delete(@gvk == "apps/v1.Deploymnt");`:                                     `no object has the kind "apps/v1.Deploymnt": did you mean "apps/v1.Deployment"?`,
		`delete(metadata.namespace == "sop");`:                                     `no object has the namespace "sop": did you mean "shop"?`,
		`delete(metadata.nmaespace == "shop");`:                                    `no object has metadata.nmaespace: did you mean metadata.namespace?`,
		`modify(exists(spec.replica), spec.replicas = 1);`:                         `no object has spec.replica: did you mean spec.replicas?`,
		`remove(spec.templat.spec);`:                                               `no object has spec.templat.spec: did you mean spec.template.spec?`,
		`remove(spec.template.spec.containers.image);`:                             `spec.template.spec.containers is a list: did you mean spec.template.spec.containers[*].image?`,
		`remove($c := spec.template.spec.containers[*] | $c.nam == "c", $c.env);`:  `no object has spec.template.spec.containers[*].nam: did you mean spec.template.spec.containers[*].name?`,
		`remove(metadata.labels."app.kubernetes.io/nam");`:                         `no object has metadata.labels."app.kubernetes.io/nam": did you mean metadata.labels."app.kubernetes.io/name"?`,
		`remove(status);`:                                                          ``,
		`remove(spec.nothing.like.it);`:                                            `no object has spec.nothing.like.it`,
		`delete(spec.replicas == 7);`:                                              ``,
		`delete(kind == "Deployment" && spec.replicas > 7);`:                       ``,
		`delete(!exists(metadata.name));`:                                          ``,
	} {
		t.Run(program, func(t *testing.T) {
			p, err := Compile(program)
			if err != nil {
				t.Fatal(err)
			}
			_, summary, err := p.RunTrace(t.Context(), in, RunOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := p.Unmatched(summary, vocabulary)
			if p.HasUnmatched(summary) != (len(got) > 0) {
				t.Errorf("HasUnmatched differs from %+v", got)
			}
			switch {
			case want == matched && len(got) > 0:
				t.Errorf("got %+v, want that it changes something: %+v", got, summary.Counts)
			case want != matched && (len(got) != 1 || got[0].Hint != want):
				t.Errorf("got %+v, want the hint %q", got, want)
			}
		})
	}
}

// TestProgram_Warnings checks what is reported about escapes.
func TestProgram_Warnings(t *testing.T) {
	for program, want := range map[string][]string{
		`remove(status);`:          nil,
		`modify(data.a = "x\ny");`: {`1:19: warning: \n is a line break here, but a backslash and an n for programs without escapes in strings`},
		`delete(data.a == "x\\y" || kind == "\\n");`: {
			`1:20: warning: \\ is one backslash here, but two for programs without escapes in strings`,
			`1:37: warning: \\ is one backslash here, but two for programs without escapes in strings`,
		},
		`delete($x := data | !($x.a != "\n"));`: {`1:32: warning: \n is a line break here, but a backslash and an n for programs without escapes in strings`},
		`delete(data.a == "\d\t");`:             nil,
		`delete(data.a =~ "a\\.b\n");`:          nil,
	} {
		p, err := Compile(program)
		if err != nil {
			t.Errorf("%s: %v", program, err)
			continue
		}
		found, text := p.Warnings()
		var got []string
		for line := range strings.Lines(text) {
			if strings.Contains(line, "warning: ") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(found) != len(want) {
			t.Errorf("%s (-want +got):\n%s", program, diff)
		}
	}
}

// Hints of a large trace are about its first objects, and say so.
func TestProgram_FindUnmatched_Large(t *testing.T) {
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(strings.Split(unmatchedObjects, "---")[0]), &u.Object); err != nil {
		t.Fatal(err)
	}
	o, err := trace.NewObject(u)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(`delete(kind == "Job");`)
	if err != nil {
		t.Fatal(err)
	}
	summary := &Summary{Commands: make([]CommandSummary, 1)}
	for count, want := range map[int]string{
		maxObjects:     `no object has the kind "Job"`,
		maxObjects + 1: `none of the first 10000 objects has the kind "Job"`,
	} {
		event := &trace.Event{Applied: slices.Repeat([]trace.Object{o}, count)}
		got, err := p.FindUnmatched(t.Context(), summary, func(yield func(*trace.Event, error) bool) { yield(event, nil) })
		if err != nil || len(got) != 1 || got[0].Hint != want {
			t.Errorf("%d objects: got %+v, %v; want the hint %q", count, got, err, want)
		}
	}
}
