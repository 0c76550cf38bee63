package traceconvert

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"

	kjson "k8s.io/apimachinery/pkg/util/json"
)

// applyPatch gives an object after a strategic merge patch, as the API server would apply it.
func applyPatch(gvk schema.GroupVersionKind, base, patch []byte) (_ []byte, err error) {
	// The merge takes patches for well-formed: it compares the keys of lists' elements without a look at what they are.
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("the patch is malformed: %v", problem)
		}
	}()
	// The patch changes its operands: they are trees of their own.
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

// patchMeta says how a kind's fields are merged.
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

// knownMeta is what is known of how fields are merged. Of custom resources and of fields that came after this program nothing is: their
// maps are merged and their lists replaced, as with any field that does not say otherwise.
type knownMeta struct {
	strategicpatch.LookupPatchMeta
}

// LookupPatchMetadataForStruct is there for [strategicpatch.LookupPatchMeta].
func (m knownMeta) LookupPatchMetadataForStruct(key string) (strategicpatch.LookupPatchMeta, strategicpatch.PatchMeta, error) {
	if m.LookupPatchMeta != nil {
		if inner, meta, err := m.LookupPatchMeta.LookupPatchMetadataForStruct(key); err == nil {
			return knownMeta{inner}, meta, nil
		}
	}
	return knownMeta{}, strategicpatch.PatchMeta{}, nil
}

// LookupPatchMetadataForSlice is there for [strategicpatch.LookupPatchMeta].
func (m knownMeta) LookupPatchMetadataForSlice(key string) (strategicpatch.LookupPatchMeta, strategicpatch.PatchMeta, error) {
	if m.LookupPatchMeta != nil {
		if inner, meta, err := m.LookupPatchMeta.LookupPatchMetadataForSlice(key); err == nil {
			return knownMeta{inner}, meta, nil
		}
	}
	return knownMeta{}, strategicpatch.PatchMeta{}, nil
}

// Name is there for [strategicpatch.LookupPatchMeta].
func (m knownMeta) Name() string {
	if m.LookupPatchMeta == nil {
		return ""
	}
	return m.LookupPatchMeta.Name()
}
