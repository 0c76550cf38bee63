package v1

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// openAPISchema is the subset of a schema that the types of this package use.
type openAPISchema struct {
	Ref                  string `json:"$ref,omitempty"`
	Type                 any    `json:"type,omitempty"`
	Format               string `json:"format,omitempty"`
	Required             []string
	Properties           map[string]*openAPISchema
	Items                *openAPISchema
	AdditionalProperties *openAPISchema
	Enum                 []string
}

type document struct {
	OpenAPI    string
	Paths      map[string]map[string]any
	Components struct{ Schemas map[string]*openAPISchema }
}

func readDocument(t *testing.T) document {
	t.Helper()
	var doc document
	if err := yaml.UnmarshalStrict([]byte(OpenAPI()), &map[string]any{}); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(OpenAPI()), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestOpenAPI_Types checks that the document describes the types, and nothing else.
func TestOpenAPI_Types(t *testing.T) {
	doc := readDocument(t)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("the document is OpenAPI %s, want 3.1", doc.OpenAPI)
	}
	types := map[string]reflect.Type{}
	for _, v := range []any{ExportRequest{}, ExportReport{}, ErrorResponse{}, TracerStatus{}} {
		collectTypes(reflect.TypeOf(v), types)
	}
	for name, typ := range types {
		got, ok := doc.Components.Schemas[name]
		if !ok {
			t.Errorf("no schema of %s", name)
			continue
		}
		for property := range got.Properties {
			if !slices.ContainsFunc(reflect.VisibleFields(typ), func(f reflect.StructField) bool { return jsonName(f) == property }) {
				t.Errorf("schema %s has a property %s that the type has not", name, property)
			}
		}
		for _, field := range reflect.VisibleFields(typ) {
			property, ok := got.Properties[jsonName(field)]
			if !ok {
				t.Errorf("schema %s lacks %s", name, jsonName(field))
				continue
			}
			if diff := cmp.Diff(wanted(field.Type), shape(property)); diff != "" {
				t.Errorf("schema %s, property %s (-want +got):\n%s", name, jsonName(field), diff)
			}
			required := slices.Contains(got.Required, jsonName(field))
			if optional := strings.Contains(field.Tag.Get("json"), ",omit") || name == "ExportFilters" || jsonName(field) == "filters"; required == optional {
				t.Errorf("schema %s: %s required is %t", name, jsonName(field), required)
			}
		}
	}
	for name := range doc.Components.Schemas {
		if _, ok := types[name]; !ok {
			t.Errorf("the schema %s describes no type", name)
		}
	}
	states := []string{string(KindPending), string(KindListing), string(KindSynced), string(KindMissing), string(KindForbidden), string(KindFailing)}
	if diff := cmp.Diff(states, doc.Components.Schemas["TracerKind"].Properties["state"].Enum); diff != "" {
		t.Errorf("states of a kind (-want +got):\n%s", diff)
	}
}

// TestOpenAPI_References checks that every reference in the document resolves.
func TestOpenAPI_References(t *testing.T) {
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(OpenAPI()), &doc); err != nil {
		t.Fatal(err)
	}
	references := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				references++
				var at any = doc
				for segment := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					at = at.(map[string]any)[segment]
				}
				if at == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(doc)
	if references < 20 {
		t.Errorf("only %d references were found", references)
	}
	paths := doc["paths"].(map[string]any)
	for _, path := range []string{PathExport, PathTracerStatus} {
		if paths[path] == nil {
			t.Errorf("the path %s is not described", path)
		}
	}
}

func collectTypes(typ reflect.Type, into map[string]reflect.Type) {
	switch typ.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		collectTypes(typ.Elem(), into)
	case reflect.Struct:
		if typ == reflect.TypeFor[time.Time]() || into[typ.Name()] != nil {
			return
		}
		into[typ.Name()] = typ
		for _, field := range reflect.VisibleFields(typ) {
			collectTypes(field.Type, into)
		}
	}
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// wanted returns the expected description of a Go type.
func wanted(typ reflect.Type) string {
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return "string date-time"
	case typ == reflect.TypeFor[metav1.LabelSelectorOperator]():
		return "string"
	}
	switch typ.Kind() {
	case reflect.Struct:
		return "#/components/schemas/" + typ.Name()
	case reflect.Slice:
		return "array of " + wanted(typ.Elem())
	case reflect.Map:
		return "map of " + wanted(typ.Elem())
	case reflect.Int64:
		return "integer int64"
	case reflect.Int:
		return "integer"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	}
	return "a type this test does not know: " + typ.String()
}

// shape returns a summary of a schema in the form of wanted.
func shape(s *openAPISchema) string {
	typ, _ := s.Type.(string)
	if types, ok := s.Type.([]any); ok {
		typ = types[0].(string)
	}
	switch {
	case s.Ref != "":
		return s.Ref
	case typ == "array":
		return "array of " + shape(s.Items)
	case typ == "object":
		return "map of " + shape(s.AdditionalProperties)
	}
	return strings.TrimSpace(typ + " " + s.Format)
}
