package replay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
)

func ownedBy(root string, name string) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: simkubev1.SimulatedLabels("sim")}}
	if root != "" {
		object.OwnerReferences = []metav1.OwnerReference{{APIVersion: "simkube.io/v1", Kind: rootKind, Name: root, UID: "x"}}
	}
	return object
}

// Objects with the labels and another root, or none, do not belong to the simulation: they are
// those of a simulation with a similar name, of what runs this one, or copies that a user made.
func TestCleanup_whatIsOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		classes := schema.GroupVersionResource{Group: "scheduling.k8s.io", Version: "v1", Resource: "priorityclasses"}
		put := func(resource schema.GroupVersionResource, object *metav1.PartialObjectMetadata) place {
			at := place{resource: resource, name: object.Name}
			target.objects[at] = object
			return at
		}
		inside := func(namespace string, object *metav1.PartialObjectMetadata) place {
			at := place{resource: schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, namespace: namespace, name: object.Name}
			object.Namespace = namespace
			target.objects[at] = object
			return at
		}
		kept := []place{
			put(namespaceResource(), ownedBy("other-root", "other")),
			put(rootResource(), ownedBy("", "sk-sim-metaroot")),
			put(classes, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "real"}}),
			put(classes, ownedBy("", "copied")),
			put(namespaceResource(), ownedBy("", "copied")),
			inside("copied", ownedBy("", "copied")),
			inside("prod", ownedBy("", "copied")),
		}
		inside("virtual-a", ownedBy("", "without-owner"))
		inside("virtual-a", ownedBy("sk-sim-root", "replayed"))
		put(namespaceResource(), ownedBy("sk-sim-root", "virtual-a"))
		put(classes, ownedBy("sk-sim-root", "replayed"))
		put(rootResource(), ownedBy("", "sk-sim-root"))

		engine, err := newEngine(target, Options{Simulation: "sim", Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Cleanup(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if len(target.objects) != len(kept) {
			t.Errorf("left: %v", target.objects)
		}
		for _, at := range kept {
			if target.objects[at] == nil {
				t.Errorf("%v is gone", at)
			}
		}
	})
}

// A root with the name may belong to another simulation.
func TestCleanup_foreignRoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		at := place{resource: rootResource(), name: "sk-sim-root"}
		target.objects[at] = &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: at.name, UID: "x"}}
		engine, err := newEngine(target, Options{Simulation: "sim", Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := engine.Cleanup(ctx, nil); !errors.Is(err, errNotOurs) {
			t.Errorf("Cleanup() = %v, want %v", err, errNotOurs)
		}
		if target.objects[at] == nil {
			t.Error("the root is gone")
		}
	})
}

func TestCleanup_givesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		stuck := errors.New("stuck")
		target.fail = func(verb string, at place) error {
			if verb == "delete" && at.name == "virtual-a" {
				return stuck
			}
			return nil
		}
		target.objects[place{resource: namespaceResource(), name: "virtual-a"}] = ownedBy("sk-sim-root", "virtual-a")
		engine, err := newEngine(target, Options{Simulation: "sim", Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		told := 0
		err = engine.Cleanup(ctx, func(r Remaining) {
			told++
			if r["v1.Namespace"] != 1 {
				t.Errorf("remaining = %v", r)
			}
		})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, stuck) || !strings.Contains(err.Error(), "1 v1.Namespace") {
			t.Errorf("Cleanup() = %v, want the deadline, what is left and why", err)
		}
		if told < 9 || told > 11 {
			t.Errorf("progress was called %d times in 10 s", told)
		}
	})
}

// CreateRoot deletes what an earlier run left behind.
func TestCreateRoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := newFake()
		engine, err := newEngine(target, Options{Simulation: "sim", Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		first, err := engine.CreateRoot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if lines := target.lines("delete"); len(lines) > 0 {
			t.Errorf("requests: %v", lines)
		}
		target.objects[place{resource: namespaceResource(), name: "virtual-a"}] = ownedBy("sk-sim-root", "virtual-a")
		second, err := engine.CreateRoot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if first.UID == second.UID || first.Name != "sk-sim-root" {
			t.Errorf("roots %v and %v, want a new one", first, second)
		}
		if len(target.objects) != 1 {
			t.Errorf("left: %v", target.objects)
		}
	})
}
