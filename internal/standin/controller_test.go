package standin

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	testclock "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/trace"
)

// Pods of a workload that was deleted, or deleted and made again, are not replaced, though the
// informer still shows it.
func TestController_reconcile_stale(t *testing.T) {
	gvk := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Trainer"}
	resource, _ := meta.UnsafeGuessKindToResource(gvk)
	trainer := func(uid types.UID) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Trainer",
			"metadata": map[string]any{"namespace": "shop", "name": "scaled", "uid": string(uid), "ownerReferences": []any{map[string]any{"uid": "root"}}},
			"spec":     map[string]any{"replicas": int64(1), "template": map[string]any{"spec": map[string]any{}}},
		}}
	}
	deleting := trainer("a")
	deleting.SetDeletionTimestamp(&metav1.Time{Time: time.Unix(1, 0)})
	for name, c := range map[string]struct {
		cluster []runtime.Object
		want    int
	}{
		"there":         {[]runtime.Object{trainer("a")}, 1},
		"deleted":       {nil, 0},
		"being deleted": {[]runtime.Object{deleting}, 0},
		"made again":    {[]runtime.Object{trainer("b")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			objects := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
				resource: "TrainerList", podsResource(): "PodList",
			}, c.cluster...)
			controller := start(t.Context(), objects, fake.NewClientset(), Options{
				Config:     &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{gvk: {PodSpecTemplatePaths: []string{"/spec/template"}}}},
				Lifecycles: lifecycle.NewStore(nil, nil), Root: "root", Clock: testclock.NewFakeClock(time.Unix(1, 0)),
				Made:    func(trace.PodOwner) bool { return false },
				Elapsed: func(now time.Time) int64 { return now.Unix() }, Until: func(seconds int64) time.Time { return time.Unix(seconds, 0) },
			})
			defer controller.Stop()
			if err := controller.watchPods(); err != nil {
				t.Fatal(err)
			}
			informer := dynamicinformer.NewFilteredDynamicInformer(objects, resource, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
			if err := informer.GetStore().Add(trainer("a")); err != nil {
				t.Fatal(err)
			}
			controller.watches[gvk.GroupKind()] = watch{gvk: gvk, resource: resource, objects: informer}
			busy := func(when string, want bool) {
				t.Helper()
				if got, err := controller.Busy(t.Context(), gvk.GroupKind(), "shop", "scaled"); err != nil || got != want {
					t.Errorf("%s: busy: %t, %v; want %t", when, got, err, want)
				}
			}
			there := name == "there" || name == "made again"
			busy("before", there)
			if err := controller.reconcile(key{gvk.GroupKind(), "shop", "scaled"}); err != nil {
				t.Fatal(err)
			}
			busy("after", there) // a pod was made and not seen, or it is another object
			if name == "there" {
				controller.workloads[key{gvk.GroupKind(), "shop", "scaled"}].created = nil
				busy("when its pods were seen", false)
			}
			if got := controller.Made().Pods; got != c.want {
				t.Errorf("%d pods were made, want %d", got, c.want)
			}
		})
	}
}
