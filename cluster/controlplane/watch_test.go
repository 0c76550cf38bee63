package controlplane

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// TestWatch_ReportsProgress watches from a version on: first come the objects, then a bookmark that
// marks their end, then changes. The API server can do that only if it has found that etcd reports
// the progress of watches.
func TestWatch_ReportsProgress(t *testing.T) {
	ctx := t.Context()
	maps := clientset(t).CoreV1().ConfigMaps("default")
	create := func() *corev1.ConfigMap {
		made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "watched-"}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	first := create()
	watcher, err := maps.Watch(ctx, metav1.ListOptions{
		ResourceVersion:      first.ResourceVersion,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		SendInitialEvents:    new(true),
		AllowWatchBookmarks:  true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	// until skips the events of other objects.
	until := func(what string, wanted func(e watch.Event, object metav1.Object) bool) {
		t.Helper()
		for e := range watcher.ResultChan() {
			object, ok := e.Object.(metav1.Object)
			if e.Type == watch.Error || !ok {
				t.Fatalf("wait for %s: got %s %+v", what, e.Type, e.Object)
			}
			if wanted(e, object) {
				return
			}
		}
		t.Fatalf("wait for %s: the watch is over", what)
	}
	added := func(name string) func(watch.Event, metav1.Object) bool {
		return func(e watch.Event, object metav1.Object) bool {
			return e.Type == watch.Added && object.GetName() == name
		}
	}
	until("what was there", added(first.Name))
	until("the bookmark", func(e watch.Event, object metav1.Object) bool {
		return e.Type == watch.Bookmark && object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
	})
	until("what came then", added(create().Name))
}
