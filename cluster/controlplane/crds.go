package controlplane

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	sigsyaml "sigs.k8s.io/yaml"
)

func parseCRDs(manifests []Manifest) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, m := range manifests {
		err := eachDocument(m, func(data []byte) error {
			crd := &apiextensionsv1.CustomResourceDefinition{}
			if err := sigsyaml.Unmarshal(data, crd); err != nil {
				return err
			}
			if crd.Kind != "CustomResourceDefinition" || crd.APIVersion != apiextensionsv1.SchemeGroupVersion.String() {
				return fmt.Errorf("want an apiextensions.k8s.io/v1 CustomResourceDefinition, got %s %s", crd.APIVersion, crd.Kind)
			}
			crds = append(crds, crd)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return crds, nil
}

// addDefinitions adds definitions of the kinds that crds do not define.
func addDefinitions(crds, definitions []*apiextensionsv1.CustomResourceDefinition) []*apiextensionsv1.CustomResourceDefinition {
	given := len(crds)
	for _, one := range definitions {
		same := func(crd *apiextensionsv1.CustomResourceDefinition) bool {
			return crd.Spec.Group == one.Spec.Group && crd.Spec.Names.Kind == one.Spec.Names.Kind
		}
		if !slices.ContainsFunc(crds[:given], same) {
			crds = append(crds, one)
		}
	}
	return crds
}

// installCRDs creates the definitions and waits until the server serves them.
func installCRDs(ctx context.Context, config *rest.Config, crds []*apiextensionsv1.CustomResourceDefinition) error {
	if len(crds) == 0 {
		return nil
	}
	client, err := apiextensions.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	api := client.ApiextensionsV1().CustomResourceDefinitions()
	for _, crd := range crds {
		_, err := api.Create(ctx, crd, metav1.CreateOptions{})
		// With a data folder that is kept they may exist.
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s: %w", crd.Name, err)
		}
	}
	for _, crd := range crds {
		err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			got, err := api.Get(ctx, crd.Name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			for _, c := range got.Status.Conditions {
				if c.Type == apiextensionsv1.NamesAccepted && c.Status == apiextensionsv1.ConditionFalse {
					return false, fmt.Errorf("names not accepted: %s", c.Message)
				}
				if c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue {
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil {
			return fmt.Errorf("wait for %s: %w", crd.Name, err)
		}
	}
	return nil
}

func bufferedReader(data []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(data)) }

// stripComments removes comments that are whole lines, and separators, so that what is left of an
// empty document is empty.
func stripComments(doc []byte) []byte {
	var out []byte
	for line := range bytes.Lines(doc) {
		trimmed := bytes.TrimSpace(line)
		if bytes.HasPrefix(trimmed, []byte("#")) || bytes.Equal(trimmed, []byte("---")) {
			continue
		}
		out = append(out, line...)
	}
	return out
}
