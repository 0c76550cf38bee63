package timeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"simkube.io/simkube/trace"
)

// textManifest returns a manifest with values of all types.
func textManifest() map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "settings", "namespace": "shop"},
		"data": map[string]any{
			"Greeting": "Grüß Gott, KUNDE", "long": strings.Repeat("filler ", 100) + "needle-in-a-haystack",
			"count": int64(8080), "small": int64(7), "negative": int64(-31415), "large": int64(1) << 40,
			"ratio": 0.125, "tiny": 1.5e-9, "yes": true, "no": false, "nothing": nil, "empty": "",
		},
	}
}

func TestTextSearch(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
	}{
		{"a value", "settings", true},
		{"part of a value", "etting", true},
		{"upper case", "SETTINGS", true},
		{"upper case in the manifest", "kunde", true},
		{"a key", "greeting", true},
		{"a key of the manifest", "apiversion", true},
		{"end of a long value", "in-a-HAYSTACK", true},
		{"letters beyond ASCII", "GRÜß gott", true},
		{"one letter", "ü", true},
		{"a number", "8080", true},
		{"part of a number", "141", true},
		{"a negative number", "-31415", true},
		{"a large number", "1099511627776", true},
		{"a small number", "7", true},
		{"a fraction", "0.125", true},
		{"a number with an exponent", "1.5e-09", true},
		{"a boolean", "TRUE", true},
		{"the other boolean", "false", true},
		{"null", "null", true},
		{"another number", "8081", false},
		{"nothing of it", "absent", false},
		{"over two values", "settingsnamespace", false},
		{"over the length of a value", "kind\xa9Config", false},
		{"a letter that is a length", "metadata\x82", false},
	}
	obj, err := trace.NewObject(&unstructured.Unstructured{Object: textManifest()})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			search := newTextSearch(test.text)
			if got := search.in(obj.Raw()); got != test.want {
				t.Errorf("%q: got %t", test.text, got)
			}
			if test.want && !search.mayContain(obj.Raw()) {
				t.Errorf("%q: the quick look misses it", test.text)
			}
		})
	}
}

// TestTextSearch_Other searches values that SimKube does not write, but others may.
func TestTextSearch_Other(t *testing.T) {
	tests := []struct {
		name, text string
		raw        []byte
		want       bool
	}{
		{"a float of 32 bits", "1.5", msgp.AppendFloat32(nil, 1.5), true},
		{"a negative integer of 16 bits", "-300", []byte{0xd1, 0xfe, 0xd4}, true},
		{"an integer beyond 63 bits", "18446744073709551615", msgp.AppendUint64(nil, 1<<64-1), true},
		{"binary data", "hello", msgp.AppendBytes(nil, []byte("hello")), false},
		{"an extension", "hello", append([]byte{0xc7, 5, 1}, "hello"...), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := newTextSearch(test.text).in(test.raw); got != test.want {
				t.Errorf("%q in %x: got %t", test.text, test.raw, got)
			}
		})
	}
}

// textIn reports whether a text is in a manifest, in a slow and simple way.
func textIn(v any, lower string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), lower) }
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if has(key) || textIn(value, lower) {
				return true
			}
		}
		return false
	case []any:
		for _, value := range v {
			if textIn(value, lower) {
				return true
			}
		}
		return false
	case string:
		return has(v)
	case nil:
		return has("null")
	}
	return has(fmt.Sprint(v))
}

// FuzzTextSearch compares searching for a text in a manifest with the simple way.
func FuzzTextSearch(f *testing.F) {
	f.Add("settings", "x", int64(5))
	f.Add("true", "truth", int64(-200))
	f.Add("Ä", "ä", int64(1<<33))
	f.Add("a", "\u212a", int64(0))
	f.Add("12", "a12", int64(12))
	f.Fuzz(func(t *testing.T, text, value string, number int64) {
		manifest := textManifest()
		manifest["value"], manifest["number"] = value, number
		delete(manifest["data"].(map[string]any), "ratio")
		delete(manifest["data"].(map[string]any), "tiny")
		obj, err := trace.NewObject(&unstructured.Unstructured{Object: manifest})
		if err != nil || text == "" {
			return // not UTF-8
		}
		search := newTextSearch(text)
		got, want := search.in(obj.Raw()), textIn(manifest, strings.ToLower(text))
		if got != want && !specialCase(value) {
			t.Errorf("%q in a manifest with %q and %d: got %t, want %t", text, value, number, got, want)
		}
		if got && !search.mayContain(obj.Raw()) {
			t.Errorf("%q in a manifest with %q and %d: the quick look misses it", text, value, number)
		}
	})
}

// specialCase reports whether s has letters beyond ASCII whose lower case is in ASCII: a text of
// ASCII is not found in them.
func specialCase(s string) bool { return strings.ContainsAny(s, "\u212a\u0130") }

// FuzzValues iterates over arbitrary bytes.
func FuzzValues(f *testing.F) {
	obj, err := trace.NewObject(&unstructured.Unstructured{Object: textManifest()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(obj.Raw(), "5")
	f.Add([]byte{0xdb, 0xff, 0xff, 0xff, 0xff}, "a")
	f.Add([]byte{0xd8, 1}, "null")
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		if text == "" {
			return
		}
		search := newTextSearch(text)
		search.in(raw)
		search.mayContain(raw)
	})
}
