package trace

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/prerequisite"
)

// samplePath returns the path of a recorded trace beside the repository. It skips the test if the
// traces are not available.
func samplePath(t testing.TB, name string) string {
	t.Helper()
	return prerequisite.Recording(t, name)
}

func TestSample_CronJob(t *testing.T) {
	got, err := ReadFile(samplePath(t, "cronjob.sktrace"))
	if err != nil {
		t.Fatal(err)
	}
	cronJob := schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}
	const name = "default/hello-simkube"
	if got, want := len(got.Events), 3; got != want {
		t.Fatalf("events: got %d, want %d", got, want)
	}
	obj := &got.Events[1].Applied[0]
	if obj.GVK() != cronJob || obj.NamespacedName() != name {
		t.Errorf("applied object: got %s %s, want %s %s", FormatGVK(obj.GVK()), obj.NamespacedName(), FormatGVK(cronJob), name)
	}
	if got, want := obj.Hash(), got.Index[cronJob][name]; got != want {
		t.Errorf("hash of the last manifest: got %d, want the index's %d", got, want)
	}
}

func TestSample_BarePods(t *testing.T) {
	got, err := ReadFile(samplePath(t, "bare-pods.sktrace"))
	if err != nil {
		t.Fatal(err)
	}
	const want = 2151974655102796215
	for owner, pods := range got.Lifecycles {
		if _, ok := pods[want]; !ok || len(pods) != 1 {
			t.Errorf("lifecycles of %s: got %v, want them under %d", owner, pods, uint64(want))
		}
	}
	pods := 0
	for _, e := range got.Events {
		for _, obj := range e.Applied {
			u, err := obj.Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			spec, _ := u.Object["spec"].(map[string]any)
			hash, err := HashPodSpec(spec)
			if err != nil {
				t.Fatal(err)
			}
			if hash != want {
				t.Errorf("pod hash of %s: got %d, want %d", obj.NamespacedName(), hash, uint64(want))
			}
			pods++
		}
	}
	if pods == 0 {
		t.Error("no pods in the trace")
	}
}
