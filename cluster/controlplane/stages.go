package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	sigsyaml "sigs.k8s.io/yaml"
)

type stagesByResource = map[internalversion.StageResourceRef][]*internalversion.Stage

// allStages returns the built-in stages and those of the options.
func (o *Options) allStages() (stagesByResource, error) {
	stages, err := parseStages(append(builtinStages(), o.Stages...))
	if err != nil {
		return nil, fmt.Errorf("read KWOK stages: %w", err)
	}
	return stages, nil
}

// parseStages parses KWOK stages. A stage replaces an earlier one of the same name.
func parseStages(manifests []Manifest) (stagesByResource, error) {
	var stages []*internalversion.Stage
	for _, m := range manifests {
		err := eachDocument(m, func(data []byte) error {
			var stage v1alpha1.Stage
			if err := sigsyaml.UnmarshalStrict(data, &stage); err != nil {
				return err
			}
			if stage.Kind != v1alpha1.StageKind || stage.Name == "" {
				return fmt.Errorf("want a kwok.x-k8s.io/v1alpha1 Stage with a name, got kind %q, name %q", stage.Kind, stage.Name)
			}
			internal, err := internalversion.ConvertToInternalStage(&stage)
			if err != nil {
				return fmt.Errorf("stage %s: %w", stage.Name, err)
			}
			stages = slices.DeleteFunc(stages, func(s *internalversion.Stage) bool { return s.Name == internal.Name })
			stages = append(stages, internal)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	out := stagesByResource{}
	for _, s := range stages {
		out[s.Spec.ResourceRef] = append(out[s.Spec.ResourceRef], s)
	}
	return out, nil
}

// eachDocument calls f with each non-empty YAML document of m, and adds the position of the
// document to its error.
func eachDocument(m Manifest, f func([]byte) error) error {
	reader := yaml.NewYAMLReader(bufferedReader(m.Data))
	for n := 1; ; n++ {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && len(bytes.TrimSpace(stripComments(doc))) > 0 {
			err = f(doc)
		}
		if err != nil {
			return fmt.Errorf("%s, document %d: %w", m.Name, n, err)
		}
	}
}
