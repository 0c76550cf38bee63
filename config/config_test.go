package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/config"
)

func TestCRDs(t *testing.T) {
	var got []string
	for _, file := range config.CRDs() {
		var crd struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     struct {
				Group, Scope string
				Names        struct{ ShortNames []string }
			}
		}
		if err := yaml.Unmarshal(file.Data, &crd); err != nil {
			t.Fatalf("%s: %v", file.Name, err)
		}
		got = append(got, strings.Join([]string{
			crd.Kind, crd.Metadata.Name, crd.Spec.Group, crd.Spec.Scope,
			strings.Join(crd.Spec.Names.ShortNames, ","),
		}, " "))
	}
	want := []string{
		"CustomResourceDefinition simulationroots.simkube.io simkube.io Cluster simroot,simroots",
		"CustomResourceDefinition simulations.simkube.io simkube.io Cluster sim,sims",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CRDs (-want +got):\n%s", diff)
	}
}

// Each file is one stage with the file's name, and the stages together read all annotations and
// labels that a pod may have for them. Package stages tests the rest with KWOK.
func TestStages(t *testing.T) {
	var all strings.Builder
	kinds := map[string]int{}
	for _, file := range config.Stages() {
		var stage struct {
			APIVersion, Kind string
			Metadata         struct{ Name string }
			Spec             struct {
				ResourceRef struct{ APIGroup, Kind string }
				Selector    map[string]any
				Next        map[string]any
				Steps       []any
			}
		}
		if err := yaml.Unmarshal(file.Data, &stage); err != nil {
			t.Fatalf("%s: %v", file.Name, err)
		}
		if got, want := stage.APIVersion+" "+stage.Kind, "kwok.x-k8s.io/v1alpha1 Stage"; got != want {
			t.Errorf("%s is a %q, want %q", file.Name, got, want)
		}
		if want := strings.TrimSuffix(file.Name, filepath.Ext(file.Name)); stage.Metadata.Name != want {
			t.Errorf("%s is named %q, want %q", file.Name, stage.Metadata.Name, want)
		}
		if stage.Spec.Selector == nil {
			t.Errorf("%s has no selector: KWOK would ignore it", file.Name)
		}
		if (stage.Spec.Next == nil) == (stage.Spec.Steps == nil) {
			t.Errorf("%s needs either next or steps", file.Name)
		}
		kinds[stage.Spec.ResourceRef.Kind]++
		all.Write(file.Data)
	}
	if diff := cmp.Diff(map[string]int{"Node": 2, "Pod": 7}, kinds); diff != "" {
		t.Errorf("stages by kind (-want +got):\n%s", diff)
	}
	for _, name := range []string{
		simkubev1.LabelStageComplete, simkubev1.LabelStageInterrupt, simkubev1.AnnotationStageCompleteTime, simkubev1.AnnotationStageCompleteAfter,
		simkubev1.AnnotationStageCreateDelay, simkubev1.AnnotationStageCreateDelayJitter,
		simkubev1.AnnotationStageReadyDelay, simkubev1.AnnotationStageReadyDelayJitter, simkubev1.ConditionCompletes,
	} {
		if !strings.Contains(all.String(), name) {
			t.Errorf("no stage mentions %s", name)
		}
	}
}
