package chart

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	chartDir = "../../charts/simkube"
	simDir   = "../../config/sim"
)

type object = map[string]any

// render returns the objects of a release of the chart in the namespace simkube, by kind, namespace
// and name.
func render(t *testing.T, values string) (map[string]object, error) {
	t.Helper()
	chart, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "simkube", Namespace: "simkube", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	objects := map[string]object{}
	for name, text := range files {
		if filepath.Ext(name) == ".yaml" {
			read(t, objects, name, text)
		}
	}
	return objects, nil
}

// rendered is render for valid values.
func rendered(t *testing.T, values string) map[string]object {
	t.Helper()
	objects, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// kustomized returns the objects of a kustomization.
func kustomized(t *testing.T, dir string) map[string]object {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatalf("build %s: %v", dir, err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]object{}
	read(t, objects, dir, string(text))
	return objects
}

// withEverything writes a kustomization of the overlay cluster, driver-secrets and every component,
// and returns its folder.
func withEverything(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	relative := func(path string) string {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		if path, err = filepath.Rel(dir, absolute); err != nil {
			t.Fatal(err)
		}
		return path
	}
	components, err := filepath.Glob(simDir + "/components/*")
	if err != nil || len(components) == 0 {
		t.Fatalf("got the components %q and error %v", components, err)
	}
	text := fmt.Sprintf("resources: [%s, %s]\ncomponents:\n", relative(simDir+"/overlays/cluster"), relative(simDir+"/driver-secrets"))
	for _, component := range components {
		text += fmt.Sprintf("  - %s\n", relative(component))
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// read adds the documents of a text, normalized, to objects.
func read(t *testing.T, objects map[string]object, from, text string) {
	t.Helper()
	for _, document := range regexp.MustCompile(`(?m)^---\s*$`).Split(text, -1) {
		var o object
		if err := yaml.UnmarshalStrict([]byte(document), &o); err != nil {
			t.Fatalf("%s: %v in:\n%s", from, err, document)
		}
		if len(o) == 0 {
			continue
		}
		normalize(o)
		metadata := o["metadata"].(object)
		id := strings.TrimSpace(fmt.Sprintf("%s %v/%v", o["kind"], metadata["namespace"], metadata["name"]))
		if objects[id] != nil {
			t.Errorf("%s: %s stands twice", from, id)
		}
		objects[id] = o
	}
}

// normalize removes the differences between kustomize and Helm: how a changed ConfigMap restarts a
// pod, and labels on kinds that others define.
func normalize(o object) {
	hash := regexp.MustCompile(`^sk-kwok-[a-z0-9]{10}$`)
	var walk func(value any) any
	walk = func(value any) any {
		switch v := value.(type) {
		case object:
			delete(v, "app.kubernetes.io/part-of")
			delete(v, "checksum/config")
			for key := range v {
				v[key] = walk(v[key])
			}
			maps.DeleteFunc(v, func(key string, value any) bool {
				m, is := value.(object)
				return is && len(m) == 0 && key == "labels"
			})
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case string:
			return hash.ReplaceAllString(v, "sk-kwok")
		}
		return value
	}
	walk(o)
}
