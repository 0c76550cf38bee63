package skel_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"simkube.io/simkube/trace"
)

// day is a decoded trace.
type day struct {
	start      int64
	applied    []dayObject
	deleted    []dayObject
	lifecycles trace.Lifecycles
}

// dayObject is one manifest, or one record of a deletion.
type dayObject struct {
	time                  int64
	kind, namespace, name string
	tree                  map[string]any
}

func collectDay(t *testing.T, tr *trace.Trace) *day {
	t.Helper()
	d := &day{start: tr.Events[0].Time, lifecycles: tr.Lifecycles}
	for i := range tr.Events {
		e := &tr.Events[i]
		for j := range e.Applied {
			o := &e.Applied[j]
			u, err := o.Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			d.applied = append(d.applied, dayObject{e.Time, o.GVK().Kind, o.Namespace(), o.Name(), u.Object})
		}
		for j := range e.Deleted {
			o := &e.Deleted[j]
			d.deleted = append(d.deleted, dayObject{e.Time, o.GVK().Kind, o.Namespace(), o.Name(), nil})
		}
	}
	return d
}

// where returns the objects for which keep returns true.
func where(objects []dayObject, keep func(*dayObject) bool) []dayObject {
	var kept []dayObject
	for i := range objects {
		if keep(&objects[i]) {
			kept = append(kept, objects[i])
		}
	}
	return kept
}

// walk calls visit for every field of a value, at any depth.
func walk(v any, visit func(key string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			visit(key, value)
			walk(value, visit)
		}
	case []any:
		for _, element := range v {
			walk(element, visit)
		}
	}
}

// noField checks that no object has a field with one of these names.
func noField(t *testing.T, objects []dayObject, names ...string) {
	t.Helper()
	for i := range objects {
		walk(objects[i].tree, func(key string, _ any) {
			if slices.Contains(names, key) {
				t.Errorf("%s %s/%s: got a field %s, want none", objects[i].kind, objects[i].namespace, objects[i].name, key)
			}
		})
	}
}

// hasField checks that some object has a field with this name, so that a check that it is absent
// elsewhere is meaningful.
func hasField(t *testing.T, objects []dayObject, name string) {
	t.Helper()
	found := false
	for i := range objects {
		walk(objects[i].tree, func(key string, _ any) { found = found || key == name })
	}
	if !found {
		t.Errorf("the example of a day: got no field %s in it, want one", name)
	}
}

// replicas returns the replicas of the selected objects, in order.
func replicas(d *day, keep func(*dayObject) bool) []int64 {
	var counts []int64
	for _, o := range where(d.applied, keep) {
		count, _, _ := unstructured.NestedInt64(o.tree, "spec", "replicas")
		counts = append(counts, count)
	}
	return counts
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(dayObject{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff[:min(len(diff), 3000)])
	}
}

func ofKind(kinds ...string) func(*dayObject) bool {
	return func(o *dayObject) bool { return slices.Contains(kinds, o.kind) }
}

func inNamespace(namespace string) func(*dayObject) bool {
	return func(o *dayObject) bool { return o.namespace == namespace }
}

func not(keep func(*dayObject) bool) func(*dayObject) bool {
	return func(o *dayObject) bool { return !keep(o) }
}

// recipeChecks returns the check of each recipe, by its heading.
func recipeChecks() map[string]func(t *testing.T, before, after *day) {
	references := []string{"status", "serviceAccount", "serviceAccountName", "secretKeyRef", "configMapKeyRef", "envFrom", "secret", "configMap"}
	return map[string]func(t *testing.T, before, after *day){
		"Sanitise for sharing": func(t *testing.T, before, after *day) {
			noField(t, after.applied, references...)
			same(t, "deletions", before.deleted, after.deleted)
			same(t, "lifecycles", before.lifecycles, after.lifecycles)
		},
		"Hide images, environments and annotations": func(t *testing.T, before, after *day) {
			hasField(t, before.applied, "env")
			noField(t, after.applied, "env", "annotations")
			for _, o := range after.applied {
				walk(o.tree, func(key string, value any) {
					if key == "image" && value != "example.com/image" {
						t.Errorf("image of %s: got %v", o.name, value)
					}
				})
			}
			same(t, "objects", len(where(before.applied, not(ofKind("ConfigMap")))), len(after.applied))
		},
		"Double the load": func(t *testing.T, before, after *day) {
			want := replicas(before, ofKind("Deployment", "StatefulSet"))
			for i := range want {
				want[i] *= 2
			}
			same(t, "replicas", want, replicas(after, ofKind("Deployment", "StatefulSet")))
		},
		"Double the load for an hour": func(t *testing.T, before, after *day) {
			hour := func(o *dayObject) bool {
				since := o.time - before.start
				return o.kind == "Deployment" && since >= 12*3600 && since < 13*3600
			}
			want := replicas(before, hour)
			if len(want) == 0 {
				t.Error("the hour: got no Deployments, want some")
			}
			for i := range want {
				want[i] *= 2
			}
			same(t, "replicas", want, replicas(after, hour))
			same(t, "the rest", where(before.applied, not(hour)), where(after.applied, not(hour)))
		},
		"Twice the batch work": func(t *testing.T, before, after *day) {
			isCopy := func(o *dayObject) bool { return strings.HasSuffix(o.name, "-copy-1") }
			jobs := len(where(before.applied, ofKind("Job")))
			same(t, "copies", jobs, len(where(after.applied, isCopy)))
			same(t, "deletions of copies", len(where(before.deleted, ofKind("Job"))), len(where(after.deleted, isCopy)))
			same(t, "the rest", before.applied, where(after.applied, not(isCopy)))
			for owner, pods := range before.lifecycles {
				if owner.GVK.Kind == "Job" {
					copyOwner := trace.PodOwner{GVK: owner.GVK, Name: owner.Name + "-copy-1"}
					same(t, "lifecycles of "+copyOwner.String(), pods, after.lifecycles[copyOwner])
				}
			}
		},
		"More tenants like one": func(t *testing.T, before, after *day) {
			tenant := where(before.applied, inNamespace("payments"))
			same(t, "objects", 4*len(tenant), len(where(after.applied, inNamespace("payments"))))
			for _, o := range where(after.applied, func(o *dayObject) bool { return o.kind == "Deployment" && strings.HasSuffix(o.name, "-copy-3") }) {
				selector, _, _ := unstructured.NestedString(o.tree, "spec", "selector", "matchLabels", "simkube.io/copy")
				same(t, "selector of "+o.name, "3", selector)
			}
		},
		"Move to another node type": func(t *testing.T, before, after *day) {
			withTemplate := func(o *dayObject) bool {
				_, ok, _ := unstructured.NestedMap(o.tree, "spec", "template", "spec")
				return ok
			}
			hasField(t, where(before.applied, withTemplate), "affinity")
			moved := where(after.applied, withTemplate)
			noField(t, moved, "affinity", "topologySpreadConstraints")
			for _, o := range moved {
				got, _, _ := unstructured.NestedString(o.tree, "spec", "template", "spec", "nodeSelector", "node.kubernetes.io/instance-type")
				same(t, "node type of "+o.name, "m8g.4xlarge", got)
			}
		},
		"Shift in time": func(t *testing.T, before, after *day) {
			for what, lists := range map[string][2][]dayObject{"objects": {before.applied, after.applied}, "deletions": {before.deleted, after.deleted}} {
				want := where(lists[0], ofKind("Job"))
				for i := range want {
					want[i].time += 3 * 3600
				}
				same(t, what, want, where(lists[1], ofKind("Job")))
				same(t, "the rest of "+what, where(lists[0], not(ofKind("Job"))), where(lists[1], not(ofKind("Job"))))
			}
			for owner, pods := range before.lifecycles {
				want := map[uint64][]trace.Lifecycle{}
				for hash, list := range pods {
					list = slices.Clone(list)
					for i := range list {
						if owner.GVK.Kind == "Job" {
							list[i].Start += 3 * 3600
							list[i].End += 3 * 3600
						}
					}
					want[hash] = list
				}
				same(t, "lifecycles of "+owner.String(), want, after.lifecycles[owner])
			}
		},
		"Remove a tenant": func(t *testing.T, before, after *day) {
			same(t, "objects", where(before.applied, not(inNamespace("ci"))), after.applied)
			same(t, "deletions", where(before.deleted, not(inNamespace("ci"))), after.deleted)
			want := maps.Clone(before.lifecycles)
			maps.DeleteFunc(want, func(owner trace.PodOwner, _ map[uint64][]trace.Lifecycle) bool {
				return strings.HasPrefix(owner.Name, "ci/")
			})
			same(t, "lifecycles", want, after.lifecycles)
		},
		"Keep one tenant": func(t *testing.T, before, after *day) {
			mine := func(o *dayObject) bool { return o.namespace == "payments" || o.namespace == "" }
			same(t, "objects", where(before.applied, mine), after.applied)
			same(t, "deletions", where(before.deleted, mine), after.deleted)
		},
		"Keep the morning": func(t *testing.T, before, after *day) {
			morning := func(o *dayObject) bool { return o.time < before.start+12*3600 }
			same(t, "objects", where(before.applied, morning), after.applied)
			same(t, "deletions", where(before.deleted, morning), after.deleted)
		},
		"Keep what makes pods": func(t *testing.T, before, after *day) {
			same(t, "objects", where(before.applied, not(ofKind("Service", "ConfigMap", "PodDisruptionBudget"))), after.applied)
		},
		"Ask for less": func(t *testing.T, before, after *day) {
			overLimit := func(d *day) int {
				found := 0
				for _, o := range where(d.applied, func(o *dayObject) bool { return o.name == "ranker" && o.kind == "Deployment" }) {
					containers, _, _ := unstructured.NestedSlice(o.tree, "spec", "template", "spec", "containers")
					for _, c := range containers {
						cpu, _, _ := unstructured.NestedString(c.(map[string]any), "resources", "requests", "cpu")
						if q, err := resource.ParseQuantity(cpu); err == nil && q.MilliValue() > 2000 {
							found++
						}
					}
				}
				return found
			}
			if overLimit(before) == 0 {
				t.Error("before: got no container that asks for more than two cores, want some")
			}
			same(t, "containers that ask for more", 0, overLimit(after))
		},
		"Add a burst": func(t *testing.T, before, after *day) {
			burst := func(o *dayObject) bool { return o.name == "what-if" }
			got := where(after.applied, burst)
			if len(got) != 1 || got[0].time != before.start+15*3600 {
				t.Errorf("the Job: got %v, want one at 15:00", got)
			}
			same(t, "the rest", before.applied, where(after.applied, not(burst)))
		},
		"All in one priority": func(t *testing.T, before, after *day) {
			hasField(t, before.applied, "priorityClassName")
			noField(t, after.applied, "priorityClassName")
			same(t, "classes", 0, len(where(after.applied, ofKind("PriorityClass"))))
		},
	}
}
