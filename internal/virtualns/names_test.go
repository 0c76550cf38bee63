package virtualns

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 40) + "-b-" + strings.Repeat("c", 20) // 63 characters
	for name, test := range map[string]struct {
		prefix, recorded, simulated string
	}{
		"default prefix": {"", "shop", "virtual-shop"},
		"fits exactly":   {"virtual", long[:55], "virtual-" + long[:55]},
		"one too long":   {"virtual", long[:56], "virtual-" + long[:44] + "-" + hashOf(long[:56])},
		"no two hyphens": {"virtual", strings.Repeat("a", 43) + "-" + strings.Repeat("b", 19), "virtual-" + strings.Repeat("a", 43) + "-" + hashOf(strings.Repeat("a", 43)+"-"+strings.Repeat("b", 19))},
		"long prefix":    {strings.Repeat("p", 51), "shop-of-all", strings.Repeat("p", 51) + "-shop-of-all"},
	} {
		t.Run(name, func(t *testing.T) {
			names := New(test.prefix)
			got := names.Simulated(test.recorded)
			if got != test.simulated {
				t.Errorf("simulated name: got %s, want %s", got, test.simulated)
			}
			if problems := validation.IsDNS1123Label(got); len(problems) > 0 {
				t.Errorf("simulated name %s: %v", got, problems)
			}
			if back, ok := names.Recorded(got); back != test.recorded || !ok {
				t.Errorf("recorded name: got %s, %t, want %s", back, ok, test.recorded)
			}
			if _, shortened := names.Shortened(got); shortened != (test.simulated != names.Prefix()+"-"+test.recorded) {
				t.Errorf("shortened: %t", shortened)
			}
		})
	}
}

// hashOf returns the end of a shortened name.
func hashOf(recorded string) string {
	name := simkubev1.VirtualNamespace("virtual", recorded)
	return name[len(name)-10:]
}

// TestNames_Different checks that long names that differ at their ends stay different.
func TestNames_Different(t *testing.T) {
	long := strings.Repeat("a", 62)
	if one, other := simkubev1.VirtualNamespace("virtual", long+"1"), simkubev1.VirtualNamespace("virtual", long+"2"); one == other {
		t.Errorf("both are %s", one)
	}
}

func TestNames_Add(t *testing.T) {
	long := strings.Repeat("a", 62)
	object := func(kind, namespace, name string) trace.Object {
		u := &unstructured.Unstructured{}
		u.SetAPIVersion("v1")
		u.SetKind(kind)
		u.SetNamespace(namespace)
		u.SetName(name)
		object, err := trace.NewObject(u)
		if err != nil {
			t.Fatal(err)
		}
		return object
	}
	names := New("virtual")
	names.Add(&trace.Event{
		Applied: []trace.Object{object("ConfigMap", long+"1", "x")},
		Deleted: []trace.Object{object("Namespace", "", long+"2")},
	})
	for _, recorded := range []string{long + "1", long + "2"} {
		if got, ok := names.Recorded(simkubev1.VirtualNamespace("virtual", recorded)); !ok || got != recorded {
			t.Errorf("recorded name: got %s, %t, want %s", got, ok, recorded)
		}
	}
	if got, ok := names.Recorded("prod"); ok {
		t.Errorf("a namespace of others is taken for %s", got)
	}
}
