package watch

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestWatcher_NamesAreNoPaths checks that no request is sent for a kind, or a resource, whose name
// would lead to another path.
func TestWatcher_NamesAreNoPaths(t *testing.T) {
	for name, test := range map[string]struct {
		kind      schema.GroupVersionKind
		discovery [][]string
		asked     string
	}{
		"a group":    {schema.GroupVersionKind{Group: "..", Version: "v1", Kind: "Widget"}, nil, ""},
		"a version":  {schema.GroupVersionKind{Group: "apps", Version: "..", Kind: "Widget"}, nil, ""},
		"a resource": {widgets, [][]string{{`raw {"kind":"APIResourceList","resources":[{"name":"../widgets","kind":"Widget","verbs":["list","watch"]}]}`, "close"}}, "find"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &apiServer{discovery: test.discovery}
				watcher := New(server.serve(t), test.kind, &witness{}, Options{})
				run(t, watcher, func() {
					time.Sleep(time.Second)
					if got := watcher.Status().State; got != Missing {
						t.Errorf("got state %s, want %s", got, Missing)
					}
				})
				compare(t, "questions", strings.Join(server.questions(), ", "), test.asked)
			})
		})
	}
}
