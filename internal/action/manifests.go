package action

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// parseManifests reads the documents of apply.manifests, including lists, and sorts them:
// definitions of kinds, then namespaces, then the rest in the order given.
func parseManifests(text string) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	var objects []*unstructured.Unstructured
	for number := 1; ; number++ {
		var raw runtime.RawExtension
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(raw.Raw) > 0 && string(raw.Raw) != "null" {
			err = parseObject(raw.Raw, &objects)
		}
		if err != nil {
			return nil, fmt.Errorf("apply.manifests, document %d: %w", number, err)
		}
	}
	if len(objects) == 0 {
		return nil, errors.New("apply.manifests is empty: must have at least one document")
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
	return objects, nil
}

func parseObject(data []byte, objects *[]*unstructured.Unstructured) error {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(data); err != nil {
		return err
	}
	if object.IsList() {
		return object.EachListItem(func(item runtime.Object) error {
			return addObject(item.(*unstructured.Unstructured), objects)
		})
	}
	return addObject(object, objects)
}

func addObject(object *unstructured.Unstructured, objects *[]*unstructured.Unstructured) error {
	switch {
	case object.GetAPIVersion() == "" || object.GetKind() == "":
		return errors.New("has no apiVersion or no kind")
	case object.GetName() == "":
		return fmt.Errorf("the %s has no metadata.name, which apply needs", object.GetKind())
	}
	if err := validatePlace(object); err != nil {
		return err
	}
	object.SetManagedFields(nil) // the API server rejects an apply with managed fields
	*objects = append(*objects, object)
	return nil
}

// validatePlace returns an error if the name or the namespace of an object is not a single segment
// of a URL path. The request would be for another object.
func validatePlace(object *unstructured.Unstructured) error {
	if wrong := content.IsPathSegmentName(object.GetName()); len(wrong) > 0 {
		return fmt.Errorf("invalid metadata.name %q of the %s: %s", object.GetName(), object.GetKind(), strings.Join(wrong, "; "))
	}
	if err := validateNamespace(object.GetNamespace()); err != nil {
		return fmt.Errorf("invalid metadata.namespace %q of the %s: %w", object.GetNamespace(), object.GetKind(), err)
	}
	return nil
}

// validateNamespace returns an error for an invalid name of a namespace. The empty name is valid.
func validateNamespace(name string) error {
	if wrong := validation.IsDNS1123Label(name); name != "" && len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

func rank(object *unstructured.Unstructured) int {
	switch object.GroupVersionKind().GroupKind().String() {
	case "CustomResourceDefinition.apiextensions.k8s.io":
		return 0
	case "Namespace":
		return 1
	}
	return 2
}

// title returns what logs and errors call an object.
func title(object *unstructured.Unstructured) string {
	if namespace := object.GetNamespace(); namespace != "" {
		return object.GetKind() + " " + namespace + "/" + object.GetName()
	}
	return object.GetKind() + " " + object.GetName()
}
