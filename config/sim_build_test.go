package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const (
	simCluster         = "sim/overlays/cluster"
	simNoKWOK          = "sim/overlays/no-kwok"
	simDriverNamespace = "sim/overlays/driver-namespace"
	simDriverSecrets   = "sim/driver-secrets"
	simEverything      = "cluster with components and driver-secrets"
)

// operators returns the API groups whose kinds others define.
func operators() []string { return []string{"monitoring.coreos.com", "cert-manager.io"} }

// simBuilds builds the overlays that are installed as they are, and the overlay cluster with
// everything that can be added to it.
func simBuilds(t *testing.T) []*build {
	t.Helper()
	return []*build{simBuild(t, simCluster), simBuild(t, simNoKWOK), simWithEverything(t)}
}

// simWithEverything builds the overlay cluster with driver-secrets and every component.
func simWithEverything(t *testing.T) *build {
	t.Helper()
	components, err := filepath.Glob("sim/components/*")
	if err != nil || len(components) == 0 {
		t.Fatalf("got the components %q and error %v", components, err)
	}
	b := simBuild(t, kustomizationOf(t, []string{simCluster, simDriverSecrets}, components))
	b.name = simEverything
	return b
}

// kustomizationOf writes a kustomization of others and of components, and returns its folder.
func kustomizationOf(t *testing.T, resources, components []string) string {
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
	var text strings.Builder
	for field, paths := range map[string][]string{"resources": resources, "components": components} {
		text.WriteString(field + ":\n")
		for _, path := range paths {
			fmt.Fprintf(&text, "  - %s\n", relative(path))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// simBuild builds a kustomization and decodes every object strictly, including custom resource
// definitions.
func simBuild(t *testing.T, dir string) *build {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatalf("build %s: %v", dir, err)
	}
	b := &build{name: dir}
	for _, resource := range resources.Resources() {
		id := resource.CurId()
		if slices.Contains(operators(), id.Group) {
			b.others = append(b.others, id.Kind+"/"+id.Name)
			continue
		}
		data, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, err := decodeStrictly(t, data)
		if err != nil {
			t.Errorf("%s: %s %s: %v", dir, id.Kind, id.Name, err)
			continue
		}
		b.objects = append(b.objects, object)
	}
	return b
}

func decodeStrictly(t *testing.T, data []byte) (metav1.Object, error) {
	t.Helper()
	kinds := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(kinds); err != nil {
			t.Fatal(err)
		}
	}
	object, _, err := serializer.NewCodecFactory(kinds, serializer.EnableStrict).UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, err
	}
	return object.(metav1.Object), nil
}
