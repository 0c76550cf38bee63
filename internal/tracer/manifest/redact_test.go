package manifest

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var testKey = [RedactionKeySize]byte{1, 2, 3}

// encodeTree returns the decoded manifest of an object.
func encodeTree(t *testing.T, opts EncoderOptions, data string) map[string]any {
	t.Helper()
	m, err := newEncoder(t, opts).Encode([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	tree, _, err := msgp.ReadIntfBytes(m.Object)
	if err != nil {
		t.Fatal(err)
	}
	return tree.(map[string]any)
}

func TestParseRedaction(t *testing.T) {
	got, err := ParseRedaction([]string{"env", "secrets", "annotations=a/b", "configmaps", "annotations=c", "annotations=c"})
	want := Redaction{Env: true, Secrets: true, ConfigMaps: true, Annotations: []string{"a/b", "c"}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	_, err = ParseRedaction([]string{"Env", "annotations=", "secrets"})
	for _, part := range []string{`"Env"`, `"annotations="`, "must be env, secrets, configmaps or annotations=KEY"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got the error %v, want one with %s", err, part)
		}
	}
}

func TestRedactor_Secret(t *testing.T) {
	opts := EncoderOptions{GVK: secretGVK, Redactor: NewRedactor(Redaction{Secrets: true}, testKey)}
	tree := encodeTree(t, opts, `{"metadata":{"name":"s","annotations":{"a":"hunter2"}},"type":"Opaque",
		"data":{"password":"aHVudGVyMg==","empty":"","none":null,"odd":"hunter2!"},"stringData":{"password":"hunter2","other":"x","n":5}}`)
	data, text := tree["data"].(map[string]any), tree["stringData"].(map[string]any)
	token, _ := text["password"].(string)
	if !regexp.MustCompile(`^redacted-[0-9a-f]{16}$`).MatchString(token) {
		t.Errorf("token: got %q", token)
	}
	if got, want := data["password"], base64.StdEncoding.EncodeToString([]byte(token)); got != want {
		t.Errorf("the same value in data: got %v, want %v", got, want)
	}
	if data["empty"] != "" || data["none"] != nil || tree["type"] != "Opaque" {
		t.Errorf("got %v, want the empty ones empty and the type as it was", tree)
	}
	if text["other"] == token || data["odd"] == "hunter2!" || text["n"] == int64(5) {
		t.Errorf("got %v and %v, want tokens", data, text)
	}
	for _, odd := range []string{`"hunter2"`, `["hunter2"]`, `[[{"a":"hunter2"}]]`} {
		m, err := newEncoder(t, opts).Encode([]byte(`{"metadata":{"name":"s"},"data":` + odd + `,"stringData":{"a":` + odd + `}}`))
		if err != nil || bytes.Contains(m.Object, []byte("hunter2")) {
			t.Errorf("%s is recorded: %q, %v", odd, m.Object, err)
		}
	}
	other := encodeTree(t, EncoderOptions{GVK: secretGVK, Redactor: NewRedactor(Redaction{Secrets: true}, [RedactionKeySize]byte{9})},
		`{"metadata":{"name":"s"},"stringData":{"password":"hunter2"}}`)
	if got := other["stringData"].(map[string]any)["password"]; got == token {
		t.Errorf("with another key: got the same token %v", got)
	}
}

func TestRedactor_ConfigMap(t *testing.T) {
	opts := EncoderOptions{GVK: configMapGVK, Redactor: NewRedactor(Redaction{ConfigMaps: true}, testKey)}
	tree := encodeTree(t, opts, `{"metadata":{"name":"c"},"data":{"a":"hunter2"},"binaryData":{"b":"aHVudGVyMg=="},"immutable":true}`)
	token, _ := tree["data"].(map[string]any)["a"].(string)
	binary, _ := tree["binaryData"].(map[string]any)["b"].(string)
	if !strings.HasPrefix(token, "redacted-") || binary != base64.StdEncoding.EncodeToString([]byte(token)) || tree["immutable"] != true {
		t.Errorf("got %v", tree)
	}
	// A rule for one kind does not apply to the other.
	opts.Redactor = NewRedactor(Redaction{Secrets: true}, testKey)
	if tree = encodeTree(t, opts, `{"metadata":{"name":"c"},"data":{"a":"x"}}`); tree["data"].(map[string]any)["a"] != "x" {
		t.Errorf("got %v, want the data as it was", tree)
	}
}

func TestRedactor_Places(t *testing.T) {
	const pod = `{"metadata":{"annotations":{"secret":"v","other":"v"}},"spec":{"value":"v","containers":[{"name":"a","args":["v"],"env":[
		{"name":"v","value":"v"},{"name":"b","valueFrom":{"fieldRef":{"fieldPath":"v"}}},{"name":"c","value":""}]}],
		"initContainers":[{"env":[{"value":"v"}]}],"ephemeralContainers":[{"env":[{"value":"v"}]}]}}`
	redacted := func(paths ...string) EncoderOptions {
		rules := Redaction{Env: true, Annotations: []string{"secret"}}
		return EncoderOptions{GVK: volcanoGVK, PodSpecTemplatePaths: paths, Redactor: NewRedactor(rules, testKey)}
	}
	// A pod has the value "v" seven times: the three of the environment and the one of the annotation
	// are replaced.
	count := func(opts EncoderOptions, data string) int {
		m, err := newEncoder(t, opts).Encode([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(m.Object, []byte("redacted-"))
	}
	for _, c := range []struct {
		name  string
		paths []string
		data  string
		want  int
	}{
		{"no path", nil, `{"metadata":{"name":"j","annotations":{"secret":"v"}},"spec":` + pod + `}`, 1},
		{"key", []string{"/spec/template"}, `{"metadata":{"name":"j"},"spec":{"template":` + pod + `}}`, 4},
		{"every element", []string{"/spec/tasks/*/template"}, `{"metadata":{"name":"j"},"spec":{"tasks":[{"template":` + pod + `},{"template":` + pod + `}]}}`, 8},
		{"one element", []string{"/spec/tasks/1/template"}, `{"metadata":{"name":"j"},"spec":{"tasks":[{"template":` + pod + `},{"template":` + pod + `}]}}`, 4},
		{
			"one element and every one",
			[]string{"/spec/tasks/1/b", "/spec/tasks/*/a"},
			`{"metadata":{"name":"j"},"spec":{"tasks":[{"a":` + pod + `,"b":` + pod + `},{"a":` + pod + `,"b":` + pod + `}]}}`, 12,
		},
		{
			"every element and one",
			[]string{"/spec/tasks/*/a", "/spec/tasks/1/b"},
			`{"metadata":{"name":"j"},"spec":{"tasks":[{"a":` + pod + `,"b":` + pod + `},{"a":` + pod + `,"b":` + pod + `}]}}`, 12,
		},
		{"a number as key", []string{"/spec/1"}, `{"metadata":{"name":"j"},"spec":{"1":` + pod + `}}`, 4},
		{"escaped key", []string{"/spec/a~1b~0"}, `{"metadata":{"name":"j"},"spec":{"a/b~":` + pod + `}}`, 4},
		{"not there", []string{"/spec/x/*/y"}, `{"metadata":{"name":"j"},"spec":{"x":{"y":` + pod + `}}}`, 0},
		{"the object itself", []string{""}, `{"metadata":{"name":"j","annotations":{"secret":"v"}},"spec":{"containers":[{"env":[{"value":"v"}]}]}}`, 2},
	} {
		if got := count(redacted(c.paths...), c.data); got != c.want {
			t.Errorf("%s: got %d tokens, want %d", c.name, got, c.want)
		}
	}
}

// TestPodHash_Redacted checks that a pod has the hash of its template with redaction, too.
func TestPodHash_Redacted(t *testing.T) {
	for _, r := range []*Redactor{nil, NewRedactor(Redaction{Env: true}, testKey), NewRedactor(Redaction{Secrets: true}, testKey)} {
		data := string(fixture(t, "pod.json"))
		opts := EncoderOptions{GVK: podGVK, PodSpecTemplatePaths: []string{""}, Redactor: r}
		want, err := trace.HashPodSpec(encodeTree(t, opts, data)["spec"].(map[string]any))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := PodHash([]byte(data), r); err != nil || got != want {
			t.Errorf("got %d, %v, want that of the recorded pod, %d", got, err, want)
		}
		template := encodeTree(t, EncoderOptions{
			GVK:                  schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"},
			PodSpecTemplatePaths: []string{"/spec/template"}, Redactor: r,
		}, `{"metadata":{"name":"r"},"spec":{"template":`+data+`}}`)
		spec := template["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
		if got, err := trace.HashPodSpec(spec); err != nil || got != want {
			t.Errorf("template: got %d, %v, want %d", got, err, want)
		}
		changed := strings.Replace(data, "hunter2", "hunter3", 1)
		if got, err := PodHash([]byte(changed), r); err != nil || got == want {
			t.Errorf("with another value: got %d, %v, want another hash", got, err)
		}
	}
}

// TestError_Secret checks that an error about an object has none of its contents.
func TestError_Secret(t *testing.T) {
	const data = `{"metadata":{"name":"s","uid":"u"},"data":{"a":"hunter2"},"stringData":{"a":"hunter2\n"}}`
	e := newEncoder(t, EncoderOptions{GVK: secretGVK, Redactor: NewRedactor(Redaction{Secrets: true}, testKey)})
	for i := range data {
		for _, broken := range []string{data[:i], data[:i] + "\x01" + data[i:], data[:i] + `"` + data[i:], data[:i] + data[i+1:], data[:i] + "1" + data[i+1:]} {
			if m, err := e.Encode([]byte(broken)); err != nil && strings.Contains(err.Error(), "hunter") {
				t.Fatalf("%s: the error says %v", broken, err)
			} else if err == nil && strings.Contains(broken, `"data":{`) && strings.Contains(broken, `"stringData":{`) && bytes.Contains(m.Object, []byte("hunter")) {
				t.Fatalf("%s: recorded as %q", broken, m.Object)
			}
			if _, err := ParseHead([]byte(broken)); err != nil && strings.Contains(err.Error(), "hunter") {
				t.Fatalf("%s: the error says %v", broken, err)
			}
		}
	}
}

// FuzzRedactor checks that redacted values are tokens, and that everything else is the same as
// without redaction.
func FuzzRedactor(f *testing.F) {
	for _, data := range []string{
		`{"metadata":{"name":"s"},"type":"Opaque","data":{"a":"aHVudGVyMg==","b":"","c":null,"d":5},"stringData":{"a":"x\u00e9"}}`,
		`{"metadata":{"name":"s"},"data":"x","stringData":[["x"]]}`, `{"metadata":{"name":"s"},"data":{"a":"b","a":"c"},"data":{"a":"d"}}`,
		`{"metadata":{"name":"s"},"data":null,"data":{"a":{"b":"c"}`, `{"metadata":{"name":"s"},"d\u0061ta":{"a":"b"}}`,
	} {
		f.Add([]byte(data))
	}
	plain := newEncoder(f, EncoderOptions{GVK: secretGVK})
	redacting := newEncoder(f, EncoderOptions{GVK: secretGVK, Redactor: NewRedactor(Redaction{Secrets: true}, testKey)})
	token := regexp.MustCompile(`^redacted-[0-9a-f]{16}$`)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := plain.Encode(data)
		r, redactErr := redacting.Encode(data)
		if (err == nil) != (redactErr == nil) {
			t.Fatalf("without redaction: %v; with it: %v", err, redactErr)
		}
		if err != nil {
			return
		}
		var trees [2]map[string]any
		for i, object := range [][]byte{p.Object, r.Object} {
			tree, _, err := msgp.ReadIntfBytes(object)
			if err != nil {
				t.Fatal(err)
			}
			trees[i] = tree.(map[string]any)
		}
		for _, field := range []string{"data", "stringData"} {
			values, ok := trees[1][field].(map[string]any)
			if value := trees[1][field]; !ok && value != nil {
				values = map[string]any{"": value} // it is replaced as a whole
			}
			for _, value := range values {
				text, isText := value.(string)
				if decoded, err := base64.StdEncoding.DecodeString(text); field == "data" && err == nil {
					text = string(decoded)
				}
				if value != nil && (!isText || text != "" && !token.MatchString(text)) {
					t.Errorf("%s has %v, which is no token", field, value)
				}
			}
			delete(trees[0], field)
			delete(trees[1], field)
		}
		if diff := cmp.Diff(trees[0], trees[1]); diff != "" {
			t.Errorf("redaction changed something else (-want +got):\n%s", diff)
		}
	})
}
