package instancetypes

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// instance returns a file as the validator takes it.
func instance(t *testing.T, file []byte) any {
	t.Helper()
	data, err := yaml.YAMLToJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// The schema has the fields that Parse reads.
func TestSchema_Fields(t *testing.T) {
	type properties struct {
		Properties map[string]any `json:"properties"`
	}
	var document struct {
		properties
		Defs map[string]properties `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &document); err != nil {
		t.Fatal(err)
	}
	for of, has := range map[reflect.Type]map[string]any{
		reflect.TypeFor[file]():     document.Properties,
		reflect.TypeFor[entry]():    document.Defs["type"].Properties,
		reflect.TypeFor[offering](): document.Defs["offering"].Properties,
		reflect.TypeFor[startup]():  document.Defs["startup"].Properties,
	} {
		var want []string
		for _, f := range fields(of) {
			want = append(want, f.name)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(has))); diff != "" {
			t.Errorf("%v (-fields +schema):\n%s", of, diff)
		}
	}
}

// The built-in lists, the file on the page, and the files of other tests are valid.
func TestSchema_Valid(t *testing.T) {
	page, err := os.ReadFile("../../docs/instance-types.md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"two": []byte(two), "rare": []byte(rare), "several": []byte(several), General: general}
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if strings.Contains(text, "kind: InstanceTypes") {
			files["page"] = []byte(text)
		}
	}
	if files["page"] == nil {
		t.Error("docs/instance-types.md has no file of instance types")
	}
	for _, name := range Names() {
		list, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := WriteYAML(&out, list); err != nil {
			t.Fatal(err)
		}
		files[name+", written"] = out.Bytes()
	}
	compiled := compiledSchema(t)
	for name, file := range files {
		if _, err := Parse(name, file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := compiled.Validate(instance(t, file)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What Parse rejects, the schema rejects.
func TestSchema_Invalid(t *testing.T) {
	compiled := compiledSchema(t)
	_, typesOfTwo, _ := strings.Cut(two, "spotShare: 0.5\noverhead: {cpu: 100m}\n")
	for name, c := range map[string][2]string{
		"another kind":     {"InstanceTypes", "Types"},
		"unknown field":    {"zones:", "zone:"},
		"unknown in type":  {"  price: 0.1", "  price: 0.1\n  cost: 0.1"},
		"bad name":         {"name: big", "name: a b"},
		"long name":        {"name: big", "name: " + strings.Repeat("b", 64)},
		"no price":         {"  price: 0.1\n", ""},
		"negative price":   {"price: 0.1", "price: -1"},
		"quantity":         {"memory: 8Gi", "memory: lots"},
		"negative":         {"cpu: 2,", "cpu: -2,"},
		"no CPU":           {"cpu: 2, ", ""},
		"spot share":       {"spotShare: 0.5", "spotShare: 2"},
		"both":             {"  offerings:", "  price: 1\n  offerings:"},
		"zones twice":      {"  offerings:", "  zones: [a]\n  offerings:"},
		"capacity type":    {"capacityType: spot", "capacityType: free"},
		"price, offering":  {"zone: b, capacityType: spot, price: 1,", "zone: b, capacityType: spot,"},
		"label":            {"example.com/family", "a/b/c"},
		"value of a label": {"family: x", "family: x y"},
		"resource":         {"nvidia.com/gpu", "nvidia com"},
		"duration":         {"  price: 0.1", "  price: 0.1\n  startup: {median: 40}"},
		"no median":        {"  price: 0.1", "  price: 0.1\n  startup: {p99: 40s}"},
		"no types":         {typesOfTwo, "types: []"},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.Replace(two, c[0], c[1], 1)
			if in == two {
				t.Fatal("nothing was replaced")
			}
			if _, err := Parse(name, []byte(in)); err == nil {
				t.Error("Parse accepts it")
			}
			if err := compiled.Validate(instance(t, []byte(in))); err == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}
