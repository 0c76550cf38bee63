package xray

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestYAML(t *testing.T) {
	for name, tc := range map[string]struct{ json, want string }{
		"nesting": {
			`{"b": {"c": [1, {"x": true, "y": [null]}, [2, [3]], {}, []], "a": {}}, "a": []}`,
			"a: []\nb:\n  a: {}\n  c:\n  - 1\n  - x: true\n    \"y\":\n    - null\n  - - 2\n    - - 3\n  - {}\n  - []",
		},
		"quotes":   {`["", "true", "12", "1e3", "1.5", "100m", "25%", "a: b", "a #b", "- x", "-x", "it's", "'", " x", "null", "2024-01-01", "0x1f", "*", "a:"]`, "- ''\n- 'true'\n- '12'\n- '1e3'\n- '1.5'\n- 100m\n- 25%\n- 'a: b'\n- 'a #b'\n- '- x'\n- -x\n- it's\n- ''''\n- ' x'\n- 'null'\n- '2024-01-01'\n- '0x1f'\n- '*'\n- 'a:'"},
		"lines":    {`{"a": "one\ntwo", "b": "one\n", "c": "one\n\n two\n\n", "d": ["x\ny"], "e": " x\ny", "f": "\n"}`, "a: |-\n  one\n  two\nb: |\n  one\nc: |+\n  one\n\n   two\n\nd:\n- |-\n  x\n  y\ne: \" x\\ny\"\nf: \"\\n\""},
		"escapes":  {`{"a": "\u001b[2J", "b": "x\ty\r\n\u202e\\\"", "\u0007": "日本"}`, "\"\\x07\": 日本\na: \"\\x1b[2J\"\nb: \"x\\ty\\r\\n\\u202e\\\\\\\"\""},
		"numbers":  {`[1, -1, 1.5, 1e300]`, "- 1\n- -1\n- 1.5\n- 1e+300"},
		"wide key": {`{"日本": 1}`, "日本: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(yamlOf(t, tc.json), "\n")
			want := strings.ReplaceAll(tc.want, `"y":`, `'y':`)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// yamlOf writes a JSON value, with its whole numbers as integers.
func yamlOf(t *testing.T, text string) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	var w yamlWriter
	w.value("", 0, whole(v))
	return w.lines
}

func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return v
}

// FuzzYAML checks that what is shown says what the object does, and harms no terminal.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{
		`{"a": [1, {"b": "c"}]}`, `"a\nb\n"`, `{"a: b": "- x", "": null, "y": "\u001b"}`, `[[[]], {"a": {"b": []}}]`, `"x\n\n"`, `"\u0301x"`, `[".", "<<", "=", "!x", "1:30", "0o7", "1_000", "+1", "-.5"]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		v = map[string]any{"v": whole(v)}
		var w yamlWriter
		w.value("", 0, v)
		for _, l := range w.lines {
			if clean(l) != l {
				t.Errorf("line %q is not clean", l)
			}
		}
		var got any
		if err := yaml.Unmarshal([]byte(strings.Join(w.lines, "\n")+"\n"), &got); err != nil {
			t.Fatalf("%v:\n%s", err, strings.Join(w.lines, "\n"))
		}
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(normal(want), normal(back)) {
			t.Errorf("%s became %s by way of\n%s", want, back, strings.Join(w.lines, "\n"))
		}
	})
}

func normal(text []byte) any {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	return v
}
