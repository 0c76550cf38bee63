package admission

import (
	"encoding/json"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
)

// operation is an operation of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// patchOf returns the JSON patch from one pod to the other, in the fields that a mutator changes;
// it is nil if they are equal. Each field is written as a whole: "add" replaces an existing member.
func patchOf(before, after *corev1.Pod) ([]byte, error) {
	var operations []operation
	for _, field := range []struct {
		path     string
		old, new any
	}{
		{"/metadata/labels", before.Labels, after.Labels},
		{"/metadata/annotations", before.Annotations, after.Annotations},
		{"/spec/nodeSelector", before.Spec.NodeSelector, after.Spec.NodeSelector},
		{"/spec/tolerations", before.Spec.Tolerations, after.Spec.Tolerations},
		{"/spec/nodeName", before.Spec.NodeName, after.Spec.NodeName},
	} {
		had, has := !isEmpty(field.old), !isEmpty(field.new)
		switch {
		case !had && !has || reflect.DeepEqual(field.old, field.new):
		case has:
			operations = append(operations, operation{"add", field.path, field.new})
		default:
			operations = append(operations, operation{Op: "remove", Path: field.path})
		}
	}
	if operations == nil {
		return nil, nil
	}
	patch, err := json.Marshal(operations)
	if err != nil {
		return nil, fmt.Errorf("encode the patch: %w", err)
	}
	return patch, nil
}

// isEmpty reports whether a string, list or map is empty.
func isEmpty(v any) bool { return reflect.ValueOf(v).Len() == 0 }
