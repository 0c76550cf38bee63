package simulation

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"simkube.io/simkube/internal/definition"
	"simkube.io/simkube/internal/validate"
	"simkube.io/simkube/internal/words"
)

// Definitions returns definitions of the custom kinds that the trace uses, and that neither it nor
// the manifests of the spec define. There are none for existing nodes: a shared cluster serves what
// it serves.
func (p *Prepared) Definitions() []*apiextensionsv1.CustomResourceDefinition {
	if p.definitions == nil {
		return nil
	}
	return p.definitions.Missing()
}

// newDefinitions returns a survey of custom kinds that knows those of manifest files.
func newDefinitions(files []string) (*definition.Survey, error) {
	survey := definition.NewSurvey(validate.ServesGroup)
	for _, path := range files {
		if err := readDefinitions(survey, path); err != nil {
			return nil, fmt.Errorf("read definitions %s: %w", path, err)
		}
	}
	return survey, nil
}

func readDefinitions(survey *definition.Survey, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	for {
		var manifest map[string]any
		if err := decoder.Decode(&manifest); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		survey.Define(definition.KindOf(manifest))
	}
}

// definitionsNote returns a note about the kinds that Definitions defines, or an empty text.
func (p *Prepared) definitionsNote() string {
	const shown = 8
	var names []string
	for _, crd := range p.Definitions() {
		names = append(names, crd.Spec.Group+"."+crd.Spec.Names.Kind)
	}
	if len(names) == 0 {
		return ""
	}
	text := strings.Join(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("the trace has objects of %s without its definition, which the cluster serves without a schema: %s",
		words.Count(len(names), "kind"), text)
}
