package validate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes/scheme"

	"simkube.io/simkube/internal/exclusion"
	"simkube.io/simkube/trace"
)

// TestServes compares with the kinds that the control plane of skctl simulate serves on the wall
// clock. Those that are only requests, or that every replay leaves out, need not be known.
func TestServes(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "served.txt"))
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		name := strings.TrimSpace(line)
		served[name] = true
		gvk, err := trace.ParseGVK(name)
		if err != nil {
			t.Fatal(err)
		}
		if !Serves(gvk) && exclusion.Of(gvk.GroupKind(), "x") == nil {
			t.Errorf("%s is served, and not known", name)
		}
	}
	for gvk := range scheme.Scheme.AllKnownTypes() {
		if Serves(gvk) && !served[trace.FormatGVK(gvk)] && exclusion.Of(gvk.GroupKind(), "x") == nil {
			t.Errorf("%s is known, and not served", trace.FormatGVK(gvk))
		}
	}
}
