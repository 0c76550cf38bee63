package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/config"
)

// The chart cannot include files from elsewhere, so its copies of the definitions and stages must
// be up to date. The chart's own tests are in tools/helm; make chart runs them and updates the
// copies.
func TestSim_ChartFiles(t *testing.T) {
	want := map[string]string{}
	for folder, files := range map[string][]config.File{"crd": config.CRDs(), "kwok": config.Stages()} {
		for _, file := range files {
			want[folder+"/"+file.Name] = string(file.Data)
		}
	}
	settings, err := os.ReadFile("sim/kwok/kwok.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want["kwok/kwok.yaml"] = string(settings)
	got := map[string]string{}
	copies, err := filepath.Glob("../charts/simkube/files/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range copies {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the chart's files are out of date; make chart updates them (-config +chart):\n%s", diff)
	}
}
