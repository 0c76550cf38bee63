package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// change is a change of an owner: a version, or the deletion of it or of its namespace if pods is
// negative.
type change struct {
	at        int64
	pods      int
	template  uint64
	namespace bool
}

const gone = -1

// TestEndings checks how the recorded pods of an owner end.
func TestEndings(t *testing.T) {
	const R, C, D = RunsOn, Completes, Deleted
	for name, c := range map[string]struct {
		kind        string
		changes     []change
		pods        []trace.Lifecycle
		want        []Ending
		completions int
		never       bool // restart policy
		grace       int64
	}{
		"foreground deletion": {
			changes: []change{{at: 0, pods: 3}, {at: 330, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 300), finished(2, 300), finished(2, 300)},
			want:    []Ending{R, R, R},
		},
		"background deletion": {
			changes: []change{{at: 0, pods: 2}, {at: 330, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 360), finished(2, 361)},
			want:    []Ending{R, R},
		},
		"deletion of the namespace": {
			changes: []change{{at: 0, pods: 2}, {at: 330, pods: gone, namespace: true}},
			pods:    []trace.Lifecycle{finished(2, 300), finished(2, 301)},
			want:    []Ending{R, R},
		},
		"deleted and made again": {
			changes: []change{{at: 0, pods: 2}, {at: 100, pods: gone}, {at: 100, pods: 2}, {at: 300, pods: gone}},
			pods:    []trace.Lifecycle{finished(1, 100), finished(1, 98), finished(102, 300), finished(102, 299)},
			want:    []Ending{R, R, R, R},
		},
		"an eviction": {
			changes: []change{{at: 0, pods: 2}},
			pods:    []trace.Lifecycle{finished(2, 500), running(2), running(503)},
			want:    []Ending{D, R, R},
		},
		"a replacement starts before the end": {
			changes: []change{{at: 0, pods: 2}},
			pods:    []trace.Lifecycle{running(2), finished(2, 500), running(475)},
			want:    []Ending{R, D, R},
		},
		"an eviction before the owner's deletion": {
			changes: []change{{at: 0, pods: 2}, {at: 900, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 500), finished(2, 880), finished(510, 881)},
			want:    []Ending{D, R, R},
		},
		"evicted twice": {
			changes: []change{{at: 0, pods: 1}},
			pods:    []trace.Lifecycle{finished(2, 50), finished(53, 90), running(95)},
			want:    []Ending{D, D, R},
		},
		"an end without a replacement": {
			changes: []change{{at: 0, pods: 2}},
			pods:    []trace.Lifecycle{finished(2, 500), running(2)},
			want:    []Ending{R, R},
		},
		"a rollout": {
			changes: []change{{at: 0, pods: 2}, {at: 100, pods: 2, template: 1}},
			pods:    []trace.Lifecycle{finished(2, 103), finished(2, 140), running(102), running(105)},
			want:    []Ending{R, R, R, R},
		},
		"an eviction after a rollout": {
			changes: []change{{at: 0, pods: 2}, {at: 100, pods: 2, template: 1}},
			pods:    []trace.Lifecycle{finished(2, 103), finished(2, 106), finished(102, 200), running(105), running(203)},
			want:    []Ending{R, R, D, R, R},
		},
		"scaled down and up": {
			changes: []change{{at: 0, pods: 3}, {at: 100, pods: 1}, {at: 200, pods: 3}},
			pods:    []trace.Lifecycle{finished(2, 101), finished(2, 130), running(2), running(202), running(203)},
			want:    []Ending{R, R, R, R, R},
		},
		"scaled up before all have started": {
			changes: []change{{at: 0, pods: 3}, {at: 10, pods: 4}},
			pods:    []trace.Lifecycle{running(2), running(20), running(21), running(22)},
			want:    []Ending{R, R, R, R},
		},
		"an eviction and a scale-down": {
			changes: []change{{at: 0, pods: 3}, {at: 100, pods: 2}},
			pods:    []trace.Lifecycle{finished(2, 101), finished(2, 150), running(2), running(152)},
			want:    []Ending{R, D, R, R},
		},
		"existed before the trace": {
			changes: []change{{at: 50, pods: 2}},
			pods:    []trace.Lifecycle{running(10), finished(20, 90), running(95)},
			want:    []Ending{R, D, R},
		},
		"a rolling update of a stateful set": {
			kind:    "apps/v1.StatefulSet",
			changes: []change{{at: 0, pods: 2}, {at: 100, pods: 2, template: 1}},
			pods:    []trace.Lifecycle{finished(2, 110), finished(3, 103), running(105), running(112)},
			want:    []Ending{R, R, R, R},
		},
		"a replication controller does not roll": {
			kind:    "v1.ReplicationController",
			changes: []change{{at: 0, pods: 2}, {at: 100, pods: 2, template: 1}},
			pods:    []trace.Lifecycle{finished(2, 110), running(3), running(112)},
			want:    []Ending{D, R, R},
		},
		"nodes come and go": {
			kind:    "apps/v1.DaemonSet",
			changes: []change{{at: 0, pods: 1}},
			pods:    []trace.Lifecycle{running(2), running(2), finished(2, 900), running(5000)},
			want:    []Ending{R, R, R, R},
		},
		"a daemon's pod is evicted": {
			kind:    "apps/v1.DaemonSet",
			changes: []change{{at: 0, pods: 1}},
			pods:    []trace.Lifecycle{running(2), finished(2, 900), running(905)},
			want:    []Ending{R, D, R},
		},
		"a rollout of daemons": {
			kind:    "apps/v1.DaemonSet",
			changes: []change{{at: 0, pods: 1}, {at: 100, pods: 1, template: 1}},
			pods:    []trace.Lifecycle{finished(2, 103), finished(2, 203), running(105), running(205)},
			want:    []Ending{R, R, R, R},
		},
		"a Job's pods complete": {
			kind: "batch/v1.Job", never: true, completions: 2,
			changes: []change{{at: 0, pods: 1}, {at: 70, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 30), finished(31, 60)},
			want:    []Ending{C, C},
		},
		"a Job is deleted before it is done": {
			kind: "batch/v1.Job", never: true, completions: 5,
			changes: []change{{at: 0, pods: 1}, {at: 70, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 30), finished(31, 60)},
			want:    []Ending{C, R},
		},
		"a bare pod completes": {
			kind: "v1.Pod", never: true,
			changes: []change{{at: 0, pods: 1}, {at: 70, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 70)},
			want:    []Ending{C},
		},
		"a bare pod that cannot complete is deleted": {
			kind:    "v1.Pod",
			changes: []change{{at: 0, pods: 1}, {at: 70, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 45)},
			want:    []Ending{R},
		},
		"a bare pod fails long before its deletion": {
			kind:    "v1.Pod",
			changes: []change{{at: 0, pods: 1}, {at: 700, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 45)},
			want:    []Ending{C},
		},
		"a custom workload is deleted": {
			kind:    "example.com/v1.Widget",
			changes: []change{{at: 0, pods: 2}, {at: 700, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 690), finished(2, 680)},
			want:    []Ending{R, R},
		},
		"a custom workload with a long grace period is deleted": {
			kind: "example.com/v1.Widget", grace: 300,
			changes: []change{{at: 0, pods: 1}, {at: 700, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 410)},
			want:    []Ending{R},
		},
		"a custom workload is scaled down": {
			kind:    "example.com/v1.Widget",
			changes: []change{{at: 0, pods: 2}, {at: 300, pods: 1}},
			pods:    []trace.Lifecycle{finished(2, 310), finished(2, 320)},
			want:    []Ending{R, C},
		},
		"a custom workload completes": {
			kind: "example.com/v1.Widget", never: true,
			changes: []change{{at: 0, pods: 2}, {at: 700, pods: gone}},
			pods:    []trace.Lifecycle{finished(2, 690), finished(2, 730)},
			want:    []Ending{C, R},
		},
		"a custom workload replaces pods for another template": {
			kind:    "example.com/v1.Widget",
			changes: []change{{at: 0, pods: 1}, {at: 300, pods: 1, template: 1}},
			pods:    []trace.Lifecycle{finished(2, 303), running(305)},
			want:    []Ending{D, R},
		},
		"a Job is suspended": {
			kind: "batch/v1.Job", never: true, completions: 2,
			changes: []change{{at: 0, pods: 2}, {at: 40, pods: 0}, {at: 80, pods: 2}},
			pods:    []trace.Lifecycle{finished(1, 41), finished(1, 42), finished(81, 141), finished(81, 141)},
			want:    []Ending{R, R, C, C},
		},
		"a Job is suspended when a pod is done": {
			kind: "batch/v1.Job", never: true, completions: 2,
			changes: []change{{at: 0, pods: 2}, {at: 40, pods: 0}, {at: 80, pods: 1}},
			pods:    []trace.Lifecycle{finished(1, 20), finished(1, 42), finished(81, 141)},
			want:    []Ending{C, R, C},
		},
		"a Job has fewer pods at a time": {
			kind: "batch/v1.Job", never: true, completions: 2,
			changes: []change{{at: 0, pods: 2}, {at: 40, pods: 1}},
			pods:    []trace.Lifecycle{finished(1, 60), finished(1, 80)},
			want:    []Ending{C, C},
		},
		"unknown owner": {
			pods: []trace.Lifecycle{finished(2, 303), running(305), empty},
			want: []Ending{C, R, R},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.kind == "" {
				c.kind = "apps/v1.Deployment"
			}
			gvk, err := trace.ParseGVK(c.kind)
			if err != nil {
				t.Fatal(err)
			}
			owner := trace.PodOwner{GVK: gvk, Name: "ns/o"}
			if c.grace == 0 {
				c.grace = 30
			}
			history := NewHistory()
			for _, change := range c.changes {
				switch {
				case change.namespace:
					history.DeleteNamespace(change.at, "ns")
				case change.pods == gone:
					history.Delete(change.at, gvk, "ns/o")
				default:
					history.Apply(change.at, owner, Version{
						Pods: change.pods, Template: change.template, RunsOn: !c.never, Completions: c.completions, GracePeriod: c.grace,
					})
				}
			}
			store := NewStore(trace.Lifecycles{owner: {7: c.pods}}, history)
			var got []Ending
			for i := range c.pods {
				found, _ := store.Lookup(owner, 7, i)
				got = append(got, found.Ending)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("endings (-want +got):\n%s", diff)
			}
			if more, _ := store.Lookup(owner, 7, len(c.pods)); more.Ending == Deleted {
				t.Error("a pod beyond the recording is deleted, and would be again and again")
			}
		})
	}
}

// TestStore_Incarnation checks which pods belong to which life of an owner.
func TestStore_Incarnation(t *testing.T) {
	owner := trace.PodOwner{GVK: widget, Name: "ns/w"}
	history := NewHistory()
	history.Apply(0, owner, Version{Pods: 1})
	history.Delete(100, widget, "ns/w")
	history.Apply(200, owner, Version{Pods: 1})
	store := NewStore(trace.Lifecycles{owner: {7: {finished(1, 99)}, 8: {empty, running(201)}}}, history)
	for n, want := range [][]uint64{{8, 7}, {8}, nil} {
		var got []uint64
		for _, r := range store.Incarnation(owner, n) {
			got = append(got, r.Hash)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("hashes of incarnation %d (-want +got):\n%s", n, diff)
		}
	}
	if !store.HasKind(widget.GroupKind()) || store.HasKind(schema.GroupKind{Kind: "Pod"}) {
		t.Error("HasKind is wrong")
	}
}
