package config_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const tracerBase = "tracer/base"

// build is the output of a kustomization.
type build struct {
	name    string
	objects []metav1.Object
	// others are the objects of kinds that are not Kubernetes' own, as kind/name.
	others []string
}

// tracerBuilds builds the base and every overlay, and production with the components.
func tracerBuilds(t *testing.T) []*build {
	t.Helper()
	overlays, err := filepath.Glob("tracer/overlays/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(overlays) < 5 {
		t.Fatalf("only %d overlays were found: this test looks in the wrong place", len(overlays))
	}
	builds := []*build{kustomize(t, tracerBase)}
	for _, overlay := range overlays {
		builds = append(builds, kustomize(t, overlay))
	}
	return append(builds, withComponents(t))
}

// withComponents builds the production overlay with every component.
func withComponents(t *testing.T) *build {
	t.Helper()
	components, err := filepath.Glob("tracer/components/*")
	if err != nil || len(components) == 0 {
		t.Fatalf("got the components %q and error %v", components, err)
	}
	b := kustomize(t, kustomizationOf(t, []string{"tracer/overlays/production"}, components))
	b.name = "production with components"
	return b
}

// kustomize builds a kustomization and decodes every object of Kubernetes' own kinds strictly:
// unknown and duplicate fields are errors.
func kustomize(t *testing.T, dir string) *build {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatalf("build %s: %v", dir, err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	b := &build{name: dir}
	for _, resource := range resources.Resources() {
		id := resource.CurId()
		if id.Group == "monitoring.coreos.com" {
			b.others = append(b.others, id.Kind+"/"+id.Name)
			continue
		}
		data, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		decoded, _, err := decoder.Decode(data, nil, nil)
		if err != nil {
			t.Errorf("%s: %s %s: %v", dir, id.Kind, id.Name, err)
			continue
		}
		b.objects = append(b.objects, decoded.(metav1.Object))
	}
	return b
}

// all returns a build's objects of a type.
func all[T metav1.Object](b *build) []T {
	var found []T
	for _, object := range b.objects {
		if o, ok := object.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// named returns the object with a type and name, or fails.
func named[T metav1.Object](t *testing.T, b *build, name string) T {
	t.Helper()
	found := all[T](b)
	index := slices.IndexFunc(found, func(o T) bool { return o.GetName() == name })
	if index < 0 {
		var none T
		t.Fatalf("%s has no %T %q", b.name, none, name)
	}
	return found[index]
}

// tracerPod returns the pod template of the tracer, and its only container.
func tracerPod(t *testing.T, b *build) (*appsv1.StatefulSet, *corev1.PodSpec, *corev1.Container) {
	t.Helper()
	set := named[*appsv1.StatefulSet](t, b, "sk-tracer")
	pod := &set.Spec.Template.Spec
	if len(pod.Containers) != 1 || len(pod.InitContainers) != 0 {
		t.Fatalf("%s: got %d containers and %d init containers, want 1 and 0", b.name, len(pod.Containers), len(pod.InitContainers))
	}
	return set, pod, &pod.Containers[0]
}

// tracerArgs returns the flags of the tracer's container with their values from the settings.
func tracerArgs(t *testing.T, b *build) map[string][]string {
	t.Helper()
	_, _, container := tracerPod(t, b)
	settings := map[string]string{}
	for _, source := range container.EnvFrom {
		for key, value := range named[*corev1.ConfigMap](t, b, source.ConfigMapRef.Name).Data {
			settings[key] = value
		}
	}
	args, used := map[string][]string{}, map[string]bool{}
	for _, arg := range container.Args {
		name, value, ok := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if !ok || !strings.HasPrefix(arg, "--") {
			t.Errorf("%s: argument %q is not --flag=value", b.name, arg)
		}
		if variable, isVariable := strings.CutPrefix(value, "$("); isVariable {
			variable = strings.TrimSuffix(variable, ")")
			used[variable] = true
			if value, ok = settings[variable]; !ok {
				t.Errorf("%s: argument %q: the settings have no %s", b.name, arg, variable)
			}
		}
		args[name] = append(args[name], value)
	}
	for key := range settings {
		if !used[key] {
			t.Errorf("%s: no argument uses the setting %s", b.name, key)
		}
	}
	return args
}

// one returns the value of a flag that occurs once, or fails.
func one(t *testing.T, b *build, args map[string][]string, name string) string {
	t.Helper()
	if len(args[name]) != 1 {
		t.Fatalf("%s: --%s: got %q, want one value", b.name, name, args[name])
	}
	return args[name][0]
}
