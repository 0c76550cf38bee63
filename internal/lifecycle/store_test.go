package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var (
	job    = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}
	widget = schema.GroupVersionKind{Group: "example.com", Version: "v1beta1", Kind: "Widget"}
)

func TestStore_Lookup(t *testing.T) {
	store := NewStore(trace.Lifecycles{
		{GVK: job, Name: "ns/one"}: {7: {finished(30, 40), running(20), empty}},
		{GVK: job, Name: "ns/two"}: {
			9: {finished(10, 11), finished(50, 51)},
			3: {finished(20, 21), empty, finished(10, 99)},
		},
		{GVK: widget, Name: "w"}: {7: {running(1)}, 8: {running(2), running(3)}},
	}, nil)
	newer := widget
	newer.Version = "v1"
	for name, c := range map[string]struct {
		owner trace.PodOwner
		hash  uint64
		want  []trace.Lifecycle
	}{
		"list starts over":             {trace.PodOwner{GVK: job, Name: "ns/one"}, 7, []trace.Lifecycle{finished(30, 40), running(20), empty, finished(30, 40)}},
		"known kind, another hash":     {trace.PodOwner{GVK: job, Name: "ns/one"}, 8, []trace.Lifecycle{finished(30, 40), running(20), empty, finished(30, 40)}},
		"known kind, lists by start":   {trace.PodOwner{GVK: job, Name: "ns/two"}, 0, []trace.Lifecycle{finished(10, 11), finished(20, 21), empty, finished(10, 99), finished(50, 51)}},
		"other kind, the hash decides": {trace.PodOwner{GVK: widget, Name: "w"}, 8, []trace.Lifecycle{running(2), running(3), running(2)}},
		"other kind, another version":  {trace.PodOwner{GVK: newer, Name: "w"}, 7, []trace.Lifecycle{running(1), running(1)}},
		"other kind, another hash":     {trace.PodOwner{GVK: widget, Name: "w"}, 9, nil},
		"another owner":                {trace.PodOwner{GVK: widget, Name: "v"}, 8, nil},
		"another kind of that name":    {trace.PodOwner{GVK: job, Name: "w"}, 8, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []trace.Lifecycle
			for seq := range max(1, len(c.want)) {
				if l, ok := store.Lookup(c.owner, c.hash, seq); ok {
					got = append(got, l.Lifecycle)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Lookup (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStore_nil(t *testing.T) {
	var store *Store
	if _, ok := store.Lookup(trace.PodOwner{GVK: job, Name: "ns/one"}, 7, 0); ok {
		t.Error("a nil store has lifecycles")
	}
}
