package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"simkube.io/simkube/trace"
)

var (
	podGVK        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	deploymentGVK = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	secretGVK     = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
	configMapGVK  = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	volcanoGVK    = schema.GroupVersionKind{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"}
)

// fixture returns an object in the form that an API server sends.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func newEncoder(t testing.TB, opts EncoderOptions) *Encoder {
	t.Helper()
	e, err := NewEncoder(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// decode parses JSON like Kubernetes. duplicates is whether a map has a key twice.
func decode(data []byte) (tree map[string]any, duplicates bool, err error) {
	strict, err := kjson.UnmarshalStrict(data, &tree, kjson.DisallowDuplicateFields)
	return tree, len(strict) > 0, err
}

// reference encodes an object in a slow and simple way.
func reference(gvk schema.GroupVersionKind, data []byte) (object, references []byte, duplicates bool, err error) {
	tree, duplicates, err := decode(data)
	if err != nil {
		return nil, nil, duplicates, err
	}
	if tree == nil {
		return nil, nil, duplicates, errors.New("null")
	}
	apiVersion, kind := gvk.ToAPIVersionAndKind()
	for key, want := range map[string]string{"apiVersion": apiVersion, "kind": kind} {
		if got, there := tree[key]; !there || got == "" {
			tree[key] = want
		} else if got != want {
			return nil, nil, duplicates, fmt.Errorf("%s is another one", key)
		}
	}
	metadata, _ := tree["metadata"].(map[string]any)
	owners, _ := metadata["ownerReferences"].([]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	for _, key := range []string{
		"managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
		"selfLink", "ownerReferences",
	} {
		delete(metadata, key)
	}
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
	delete(annotations, "deployment.kubernetes.io/revision")
	delete(tree, "status")
	if spec, ok := tree["spec"].(map[string]any); ok && gvk == podGVK {
		delete(spec, "nodeName")
	}
	made, err := trace.NewObject(&unstructured.Unstructured{Object: tree})
	if err != nil {
		return nil, nil, duplicates, err
	}
	if len(owners) > 0 {
		holder, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Holder", "metadata": map[string]any{"name": "x"}, "spec": owners,
		}})
		if err != nil {
			return nil, nil, duplicates, err
		}
		references = bytes.Clone(holder.Spec())
	}
	return made.Raw(), references, duplicates, nil
}

// jsonCases are texts that are easily parsed incorrectly, as values of a field of a pod.
var jsonCases = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `-1`, `127`, `128`, `255`, `256`, `65535`, `65536`, `4294967295`, `4294967296`, `-32`, `-33`, `-128`,
	`-129`, `-32768`, `-32769`, `-2147483648`, `-2147483649`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775808`,
	`-9223372036854775809`, `99999999999999999999999999`, `0.0`, `-0.0`, `1.0`, `1e3`, `1E+3`, `1e-3`, `1.5e308`, `1e999`, `01`, `-`, `1.`, `.5`, `1e`, `+1`, `-01`,
	`0x10`, `nul`, `truE`, `NaN`,
	`""`, `"a"`, `"12345678"`, `"1234567\""`, `"\"\\\/\b\f\n\r\t"`, `"\u0041\u00e9\u20ac"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83dx"`,
	`"\ud83d\u0041"`, `"\u00"`, `"\x"`, `"\`, `"abc`, "\"\xff\"", "\"abc\xc3\"", "\"é€😀\"", "\"abcdefgh\x01\"", "\"\t\"", "\"\x7f\"", `"\u0000"`, `"\uD800\uDC00"`, `"<>&\u2028"`,
	`[]`, `[1,2,3]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `{}`, `{"b":1,"a":2}`, `{"a":1,"a":2}`, `{"a":1,"b":2,"a":{"c":3}}`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{"a":}`, `{a:1}`,
	`{"":1}`, `{"\u0061":1,"a":2}`, `{"ab":1,"a":2,"b":3,"aa":4,"B":5,"é":6,"z":7}`, `[[[[]]],{"x":[{}]}]`, " [ 1 ,\n{ \"a\"\t:\r1 } ] ",
	`[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14]`, `[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]`,
	`{"k00":0,"k01":0,"k02":0,"k03":0,"k04":0,"k05":0,"k06":0,"k07":0,"k08":0,"k09":0,"k10":0,"k11":0,"k12":0,"k13":0,"k14":0,"k15":0}`,
	`"` + strings.Repeat("x", 31) + `"`, `"` + strings.Repeat("x", 32) + `"`, `"` + strings.Repeat("x", 256) + `"`, `"` + strings.Repeat(`\n`, 40000) + `"`,
	"[" + strings.Repeat("0,", 70000) + "0]",
}

// objects returns pods, valid and invalid, with all cases in several fields.
func objects() []string {
	all := []string{
		``, ` `, `null`, `[]`, `1`, `{}`, `{"metadata":null}`, `{"metadata":{}}`, `{"metadata":{"name":""}}`, `{"metadata":{"name":1}}`,
		`{"metadata":{"name":"a"}}`, `{"metadata":{"name":"a"}} x`, `{"metadata":{"name":"a"}}{}`, `{"metadata":{"name":"a","namespace":null}}`,
		`{"metadata":{"name":"a","namespace":"b"},"apiVersion":"v1","kind":"Pod"}`, `{"metadata":{"name":"a"},"apiVersion":"v2"}`,
		`{"metadata":{"name":"a"},"apiVersion":"","kind":""}`, `{"metadata":{"name":"a"},"apiVersion":null}`, `{"metadata":{"name":"a"},"kind":"Node"}`,
		`{"metadata":{"name":"a","ownerReferences":null}}`, `{"metadata":{"name":"a","ownerReferences":[]}}`,
		`{"metadata":{"ownerReferences":[{"uid":"u","kind":"K","apiVersion":"v1","name":"n","x":{"b":1,"a":2}},null],"name":"a"}}`,
		`{"metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"x"}}}`,
		`{"metadata":{"name":"a","annotations":null,"labels":{}}}`, `{"metadata":{"name":"a"},"metadata":{"name":"b","uid":"u"}}`,
		`{"metadata":{"name":"a","name":"b"},"spec":{"nodeName":"n","a":1},"status":{"x":[{}]}}`, `{"spec":null,"metadata":{"name":"a"}}`,
		`{"metadata":{"selfLink":"/x","managedFields":[{"a":1}],"uid":"u","resourceVersion":"1","generation":1,"creationTimestamp":null,` +
			`"deletionTimestamp":"2024-02-29T12:30:00Z","deletionGracePeriodSeconds":30,"finalizers":["f"],"generateName":"g","name":"a"}}`,
		`{"zeta":1,"metadata":{"name":"a"},"alpha":2,"kind":"Pod","spec":{}}`,
		`{"metadata":{"name":"a"},"x":` + strings.Repeat("[", 400) + strings.Repeat("]", 400) + `}`,
		`{"metadata":{"name":"a"},"status":` + strings.Repeat(`{"a":`, 300) + `1` + strings.Repeat("}", 300) + `}`,
	}
	for _, c := range jsonCases {
		all = append(all,
			`{"metadata":{"name":"a"},"spec":`+c+`}`,
			`{"metadata":{"name":"a"},"status":{"x":`+c+`}}`,
			`{"metadata":{"labels":{"x":`+c+`},"name":"a"},"spec":{"b":[`+c+`],"a":`+c+`}}`)
		if strings.HasPrefix(c, `"`) {
			all = append(all, `{"metadata":{"name":`+c+`}}`, `{"metadata":{"name":"a"},"spec":{"z":1,`+c+`:1}}`)
		}
	}
	return all
}
