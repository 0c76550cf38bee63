package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

func TestStore_Started(t *testing.T) {
	owner := trace.PodOwner{GVK: schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}, Name: "shop/report"}
	const at = 600
	for name, c := range map[string]struct {
		pods []trace.Lifecycle
		want []int64
	}{
		"none":                          {},
		"ended before":                  {pods: []trace.Lifecycle{finished(540, 599)}},
		"running":                       {[]trace.Lifecycle{finished(545, 620)}, []int64{540}},
		"not ended":                     {[]trace.Lifecycle{running(10)}, []int64{0}},
		"due at that second":            {[]trace.Lifecycle{finished(605, 620), finished(665, 680)}, []int64{600}},
		"two pods of a Job":             {[]trace.Lifecycle{finished(601, 620), finished(603, 680)}, []int64{600}},
		"two Jobs, the later one first": {[]trace.Lifecycle{running(601), running(542)}, []int64{540, 600}},
		"never started":                 {pods: []trace.Lifecycle{empty}},
		"due later":                     {pods: []trace.Lifecycle{running(660)}},
	} {
		t.Run(name, func(t *testing.T) {
			store := NewStore(trace.Lifecycles{owner: {7: c.pods}}, nil)
			if diff := cmp.Diff(c.want, store.Started(owner, at)); diff != "" {
				t.Errorf("Started (-want +got):\n%s", diff)
			}
		})
	}
	var none *Store
	if got := none.Started(owner, at); got != nil {
		t.Errorf("Started of a nil store = %v", got)
	}
}
