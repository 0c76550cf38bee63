package tracejson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// sameAsJSON checks that the documents have the values of the lines.
func sameAsJSON(t *testing.T, lines, documents string) {
	t.Helper()
	wantAll := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	gotAll := strings.Split(strings.TrimPrefix(documents, "---\n"), "\n---\n")
	if len(gotAll) != len(wantAll) {
		t.Fatalf("got %d documents, want %d", len(gotAll), len(wantAll))
	}
	for i := range wantAll {
		var got, want any
		if err := yaml.Unmarshal([]byte(gotAll[i]), &got); err != nil {
			t.Fatalf("%v in\n%.4000s", err, gotAll[i])
		}
		if err := json.Unmarshal([]byte(wantAll[i]), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("document %d (-want +got):\n%.4000s", i, diff)
		}
	}
}

func TestYAML_Samples(t *testing.T) {
	for name, data := range sampleTraces(t) {
		t.Run(name, func(t *testing.T) { sameAsJSON(t, encode(t, data, JSON), encode(t, data, YAML)) })
	}
}

func TestYAML_Strings(t *testing.T) {
	for _, s := range []string{
		"", " ", "a", "a b", "a: b", "a:", ":a", "a #b", "a#b", "#a", "- a", "-", "~", "null", "Null", "yes", "NO", "on", "y", "true", "1", "1.0", "0x1f", "1e3", ".inf", ".",
		"2024-01-01", "a\nb", "a\nb\n", "a\nb\n\n", "\na", " a\nb", "a\n b\n", "a\n \n", "a\nb ", "a\nb\t\n", "\t", "a\tb\nc", "a\rb", "a\r\nb\n", "\n", "\n\n", "*a", "&a", "!a", "a, b", "[a]", "{a}",
		"a\x00", "\x7f\u0080\u0085\u00a0\u2028\u2029\ufeff\ufffe\U0001f600", "ünï", "ü\nö", "a\n\ufeff", `"q"`, `'q'`, `back\slash`, "%a", "@a", "`a", "=", "<<", "a  b", "a ", "a\n---\nb", "---", "? a", "a?",
		strings.Repeat("long ", 500), strings.Repeat("a", 1100),
	} {
		text := appendString([]byte(`{"list":[`), s)
		text = append(append(appendString(append(text, `,{"deep":[[`...), s), `]],`...), `"text":`...)
		text = append(appendString(append(appendString(text, s), `}],`...), s), `:{"x":[],"y":{},"z":1.0}}`...)
		y := yamlWriter{src: text}
		got := string(y.document())
		var value, want any
		if err := yaml.Unmarshal([]byte(got), &value); err != nil {
			t.Errorf("%q: %v in\n%s", s, err, got)
			continue
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, value); diff != "" {
			t.Errorf("%q (-want +got):\n%s\nin\n%s", s, diff, got)
		}
	}
}

func TestYAML_Text(t *testing.T) {
	y := yamlWriter{src: []byte(`{"ts":1,"applied_objs":[{"kind":"ConfigMap","metadata":{"name":"a","labels":{"yes":"no"}},"data":{"run.sh":"#!/bin/sh\necho hi\n"},"list":[["x",1],{"a":[]}]}],"deleted_objs":[]}`)}
	const want = `---
ts: 1
applied_objs:
- kind: ConfigMap
  metadata:
    name: a
    labels:
      "yes": "no"
  data:
    run.sh: |
      #!/bin/sh
      echo hi
  list:
  - - x
    - 1
  - a: []
deleted_objs: []
`
	if diff := cmp.Diff(want, string(y.document())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
