package traceconvert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"

	kjson "k8s.io/apimachinery/pkg/util/json"
)

// applyPatch returns an object after a strategic merge patch, as the API server would apply it.
func applyPatch(gvk schema.GroupVersionKind, base, patch []byte) (_ []byte, err error) {
	// The library assumes well-formed patches: it compares the keys of list elements without checking
	// their types, and panics.
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("the patch is malformed: %v", problem)
		}
	}()
	// The library modifies its operands, so they are decoded for each call.
	var object, changes map[string]any
	if err := kjson.Unmarshal(base, &object); err != nil {
		return nil, err
	}
	if err := kjson.Unmarshal(patch, &changes); err != nil {
		return nil, err
	}
	merged, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(object, changes, patchMeta(gvk))
	if err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	if bytes.Contains(patch, []byte(`"$`)) {
		dropDirectives(map[string]any(merged))
	}
	return json.Marshal(merged)
}

// dropDirectives removes the directives that the library leaves in parts of a patch that have no
// counterpart in the object, as the API server does when it decodes the result.
func dropDirectives(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			switch list, isList := inner.([]any); {
			case isDirective(key):
				delete(v, key)
				continue
			case isList:
				inner = slices.DeleteFunc(list, isDirectiveElement)
				v[key] = inner
			}
			dropDirectives(inner)
		}
	case []any:
		for _, element := range v {
			dropDirectives(element)
		}
	}
}

// isDirective reports whether a key says how to apply a patch.
func isDirective(key string) bool {
	return key == "$patch" || key == "$retainKeys" || strings.HasPrefix(key, "$setElementOrder/") || strings.HasPrefix(key, "$deleteFromPrimitiveList/")
}

// isDirectiveElement reports whether an element of a list says which element to delete, or that the
// list replaces another.
func isDirectiveElement(element any) bool {
	m, ok := element.(map[string]any)
	return ok && (m["$patch"] == "delete" || m["$patch"] == "replace" && len(m) == 1)
}

// patchMeta returns how to merge the fields of a kind.
func patchMeta(gvk schema.GroupVersionKind) strategicpatch.LookupPatchMeta {
	object, err := scheme.Scheme.New(gvk)
	if err != nil {
		return knownMeta{}
	}
	known, err := strategicpatch.NewPatchMetaFromStruct(object)
	if err != nil {
		return knownMeta{}
	}
	return knownMeta{known}
}

// knownMeta is the known metadata for merging fields. There is none for custom resources and for
// fields that are newer than this program: their maps are merged and their lists replaced, as for
// any field without metadata.
type knownMeta struct {
	strategicpatch.LookupPatchMeta
}

// LookupPatchMetadataForStruct implements [strategicpatch.LookupPatchMeta].
func (m knownMeta) LookupPatchMetadataForStruct(key string) (strategicpatch.LookupPatchMeta, strategicpatch.PatchMeta, error) {
	if m.LookupPatchMeta != nil {
		if inner, meta, err := m.LookupPatchMeta.LookupPatchMetadataForStruct(key); err == nil {
			return knownMeta{inner}, meta, nil
		}
	}
	return knownMeta{}, strategicpatch.PatchMeta{}, nil
}

// LookupPatchMetadataForSlice implements [strategicpatch.LookupPatchMeta].
func (m knownMeta) LookupPatchMetadataForSlice(key string) (strategicpatch.LookupPatchMeta, strategicpatch.PatchMeta, error) {
	if m.LookupPatchMeta != nil {
		if inner, meta, err := m.LookupPatchMeta.LookupPatchMetadataForSlice(key); err == nil {
			return knownMeta{inner}, meta, nil
		}
	}
	return knownMeta{}, strategicpatch.PatchMeta{}, nil
}

// Name implements [strategicpatch.LookupPatchMeta].
func (m knownMeta) Name() string {
	if m.LookupPatchMeta == nil {
		return ""
	}
	return m.LookupPatchMeta.Name()
}
