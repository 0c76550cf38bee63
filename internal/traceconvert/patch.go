package traceconvert

import (
	"encoding/json"
	"fmt"

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
	return json.Marshal(merged)
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
