package trace

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

var kindTexts = []struct {
	text string
	want schema.GroupVersionKind
}{
	{"v1.Pod", schema.GroupVersionKind{Version: "v1", Kind: "Pod"}},
	{"/v1.Pod", schema.GroupVersionKind{Version: "v1", Kind: "Pod"}},
	{"apps/v1.Deployment", schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}},
	{"batch.volcano.sh/v1alpha1.Job", schema.GroupVersionKind{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"}},
}

var notKinds = []string{
	"", "Pod", "v1", ".Pod", "v1.", "apps/", "apps/v1", "apps/.Deployment", "apps/v1.", "/", "/.", ".", "//v1.Pod",
	"apps/v1.a.b", "apps/v1.Deployment.", "apps/v1/Deployment", "apps/v1.Deploy/ment", "a/b/c.D", "apps.v1.Deployment",
}

func TestParseGVK(t *testing.T) {
	for _, test := range kindTexts {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseGVK(test.text)
			if err != nil || got != test.want {
				t.Fatalf("got %v, %v, want %v", got, err, test.want)
			}
			if got, want := FormatGVK(got), strings.TrimPrefix(test.text, "/"); got != want {
				t.Errorf("formatted: got %s, want %s", got, want)
			}
		})
	}
	for _, text := range notKinds {
		t.Run("not "+text, func(t *testing.T) {
			got, err := ParseGVK(text)
			if !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), `"`+text+`"`) {
				t.Errorf("got %v, %v, want an error that names the string", got, err)
			}
		})
	}
}

func TestNamespacedName(t *testing.T) {
	for _, test := range []struct{ namespace, name, want string }{{"a", "b", "a/b"}, {"", "b", "b"}} {
		got := NamespacedName(test.namespace, test.name)
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
		if namespace, name := SplitNamespacedName(got); namespace != test.namespace || name != test.name {
			t.Errorf("split %s: got %q %q, want %q %q", got, namespace, name, test.namespace, test.name)
		}
	}
}

func FuzzParseGVK(f *testing.F) {
	for _, test := range kindTexts {
		f.Add(test.text)
	}
	for _, text := range notKinds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		gvk, err := ParseGVK(text)
		if err != nil {
			return
		}
		if got, want := FormatGVK(gvk), strings.TrimPrefix(text, "/"); got != want {
			t.Errorf("formatted: got %q, want %q", got, want)
		}
		if gvk.Version == "" || gvk.Kind == "" || strings.ContainsAny(gvk.Version+gvk.Kind, "./") {
			t.Errorf("%q is parsed as %#v", text, gvk)
		}
	})
}
