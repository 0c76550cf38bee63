package replay

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// A deletion is held back as long as BeforeDelete says, and nothing else is. BeforeDelete is asked
// about objects that have pods only.
func TestRun_BeforeDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []Deletion
		var calls atomic.Int32
		opts := Options{BeforeDelete: func(d Deletion) func(context.Context) time.Duration {
			asked = append(asked, d)
			return func(context.Context) time.Duration {
				if calls.Add(1) > 3 {
					return 0
				}
				return 300 * time.Millisecond
			}
		}}
		target := newFake()
		web, settings := deployment("ns", "web"), configMap("ns", "settings")
		events := []trace.Event{
			event(t, 0, []string{web, settings}, nil),
			event(t, 1, nil, []string{web, settings}),
			event(t, 2, []string{web}, nil),
		}
		report, start, err := replayed(t, target, opts, Plan{}, events...)
		if err != nil || len(report.Problems) > 0 {
			t.Fatalf("report %+v, error %v", report, err)
		}
		checkSent(t, target, "delete configmaps ns/settings", start.Add(time.Second))
		checkSent(t, target, "delete deployments ns/web", start.Add(1900*time.Millisecond))
		want := []Deletion{{Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}, Namespace: "ns", Name: "web"}}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	})
}
