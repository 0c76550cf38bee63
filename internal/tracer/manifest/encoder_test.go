package manifest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"

	"simkube.io/simkube/trace"
)

// checkEncode compares an encoder with the reference.
func checkEncode(t *testing.T, e *Encoder, data []byte) {
	t.Helper()
	object, references, duplicates, wantErr := reference(e.gvk, data)
	got, err := e.Encode(data)
	if err != nil {
		var located *Error
		switch {
		case !errors.As(err, &located) || located.Offset < 0 || located.Offset > len(data):
			t.Fatalf("error: got %#v, want an *Error in %d bytes", err, len(data))
		case wantErr != nil:
		case errors.Is(err, trace.ErrTooDeep) || duplicates && !errors.Is(err, ErrSyntax):
			// Traces allow a few more levels. Of duplicates, the first may be invalid.
		case errors.Is(err, trace.ErrType) || errors.Is(err, trace.ErrValue):
			// The reference drops fields without parsing them.
			if json.Unmarshal(data, &metav1.PartialObjectMetadata{}) == nil {
				t.Fatalf("got the error %v, want none", err)
			}
		default:
			t.Fatalf("got the error %v, want none", err)
		}
		return
	}
	if wantErr != nil {
		t.Fatalf("got no error, want %v", wantErr)
	}
	if !bytes.Equal(got.Object, object) {
		t.Fatalf("object: got\n%x, want\n%x", got.Object, object)
	}
	if !bytes.Equal(got.References, references) || (got.References == nil) != (references == nil) {
		t.Fatalf("references: got\n%x, want\n%x", got.References, references)
	}
	if want := xxhash.Sum64(append(bytes.Clone(object), references...)); got.Hash != want {
		t.Fatalf("hash: got %x, want %x", got.Hash, want)
	}
}

func TestEncoder_Encode(t *testing.T) {
	pods := newEncoder(t, EncoderOptions{GVK: podGVK})
	for _, data := range objects() {
		checkEncode(t, pods, []byte(data))
		if t.Failed() {
			t.Fatalf("of %.200q", data)
		}
	}
	checkEncode(t, pods, fixture(t, "pod.json"))
	checkEncode(t, newEncoder(t, EncoderOptions{GVK: deploymentGVK}), fixture(t, "deployment.json"))
	for _, name := range []string{"pod.json", "deployment.json"} {
		if _, err := pods.Encode(fixture(t, name)); (err == nil) != (name == "pod.json") {
			t.Errorf("%s as a pod: got the error %v", name, err)
		}
	}
}

func TestEncoder_Encode_Truncated(t *testing.T) {
	e := newEncoder(t, EncoderOptions{GVK: podGVK})
	data := bytes.TrimSpace(fixture(t, "pod.json"))
	for n := range data {
		if _, err := e.Encode(data[:n:n]); !errors.Is(err, ErrSyntax) {
			t.Fatalf("the first %d bytes: got the error %v, want a syntax error", n, err)
		}
	}
}

func TestEncoder_Encode_Depth(t *testing.T) {
	e := newEncoder(t, EncoderOptions{GVK: podGVK})
	for _, field := range []string{"spec", "status", "data"} {
		for _, brackets := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
			nested := func(depth int) []byte {
				return []byte(`{"metadata":{"name":"a"},"` + field + `":` + strings.Repeat(brackets[0], depth) + `1` + strings.Repeat(brackets[1], depth) + `}`)
			}
			if _, err := e.Encode(nested(maxDepth - 1)); err != nil {
				t.Errorf("%s %s: as deep as can be: got the error %v", field, brackets[0], err)
			}
			if _, err := e.Encode(nested(maxDepth)); !errors.Is(err, trace.ErrTooDeep) {
				t.Errorf("%s %s: deeper: got the error %v, want %v", field, brackets[0], err, trace.ErrTooDeep)
			}
		}
	}
}

func TestEncoder_Encode_Errors(t *testing.T) {
	e := newEncoder(t, EncoderOptions{GVK: podGVK})
	for data, want := range map[string]string{
		`{"metadata":{"name":"a"},"spec":{"x":tru}}`: "byte 37: want a value",
		`{"metadata":{"name":"a"}`:                   "byte 24: the input ends here; want a comma or the end of the object",
		`{"metadata":{"name":"a"}}}`:                 "byte 25: something follows the end of the object",
		`{"metadata":{"name":"a","uid":[]}}`:         "byte 30: want a string, got an array",
		`{"metadata":{"name":"a"},"kind":"Secret"}`:  "byte 32: the kind is not that of a v1.Pod",
		`{"spec":{}}`:                                   "byte 0: the object has no metadata",
		`{"metadata":{"namespace":"a"}}`:                "byte 0: the object has no name",
		`{"metadata":{"name":"a","labels":{"a":"\q"}}}`: "byte 39: there is no such escape sequence",
	} {
		if _, err := e.Encode([]byte(data)); err == nil || err.Error() != want {
			t.Errorf("%s: got the error %v, want %s", data, err, want)
		}
	}
}

func TestEncoder_Encode_Head(t *testing.T) {
	data := fixture(t, "pod.json")
	want := Head{
		Namespace: "shop", Name: "web-6f7d8c9b5d-x7k2p", UID: "0f6b8f0e-7a0e-4a3b-8d52-3c1d4c9f7b12", ResourceVersion: "18273999",
		CreationTimestamp: 1709209801,
		Owners: []OwnerReference{{
			APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-6f7d8c9b5d", UID: "d2f1a7e4-1b1c-4f0e-9d8e-6a5b4c3d2e1f", Controller: true,
		}},
	}
	m, err := newEncoder(t, EncoderOptions{GVK: podGVK}).Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, m.Head); diff != "" {
		t.Errorf("Encode (-want +got):\n%s", diff)
	}
	head, err := ParseHead(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, head); diff != "" {
		t.Errorf("ParseHead (-want +got):\n%s", diff)
	}
	cut, _, _ := bytes.Cut(data, []byte(`"spec"`))
	if got, err := ParseHead(cut); err != nil || got.UID != want.UID {
		t.Errorf("ParseHead of metadata alone: got %v, %v", got, err)
	}
}

func TestParseHead_Deleted(t *testing.T) {
	head, err := ParseHead([]byte(`{"metadata":{"name":"a","creationTimestamp":null,"deletionTimestamp":"2024-02-29T13:30:00+01:00"}}`))
	if want := (Head{Name: "a", DeletionTimestamp: 1709209800}); err != nil || !cmp.Equal(head, want) {
		t.Errorf("got %v, %v, want %v", head, err, want)
	}
}

// TestEncoder_Encode_Reuse checks that an encoder keeps nothing of one object in the next.
func TestEncoder_Encode_Reuse(t *testing.T) {
	data := fixture(t, "pod.json")
	e := newEncoder(t, EncoderOptions{GVK: podGVK})
	first, err := e.Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	object, hash := bytes.Clone(first.Object), first.Hash
	for _, between := range []string{`{"metadata":{"name":"x"}}`, `{"metadata":{"name":"x","labels":{"b":"1","a":`, `{"a":{"b":{"c":[`} {
		m, err := e.Encode([]byte(between))
		if err == nil && (m.References != nil || m.Head.Owners != nil || m.Head.UID != "") {
			t.Errorf("got %+v, want nothing of the pod before", m)
		}
		if again, err := e.Encode(data); err != nil || again.Hash != hash || !bytes.Equal(again.Object, object) {
			t.Errorf("after %s: got another manifest of the same pod, error %v", between, err)
		}
	}
}

// TestEncoder_Encode_Hash checks that the hash ignores changes that happen all the time, and
// includes everything that is recorded.
func TestEncoder_Encode_Hash(t *testing.T) {
	e := newEncoder(t, EncoderOptions{GVK: deploymentGVK})
	data := string(fixture(t, "deployment.json"))
	base, err := e.Encode([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	want := base.Hash
	for _, c := range []struct {
		old, new string
		same     bool
	}{
		{`"resourceVersion":"18273645"`, `"resourceVersion":"18273646"`, true},
		{`"generation":4`, `"generation":5`, true},
		{`"readyReplicas":3`, `"readyReplicas":2`, true},
		{`"deployment.kubernetes.io/revision":"4"`, `"deployment.kubernetes.io/revision":"5"`, true},
		{`"manager":"kubectl-client-side-apply"`, `"manager":"helm"`, true},
		{`"owner":"shop-team"`, `"owner":"web-team"`, false},
		{`"replicas":3,"selector":{"matchLabels":{"app":"web"}},"template"`, `"replicas":4,"selector":{"matchLabels":{"app":"web"}},"template"`, false},
		{`"resourceVersion"`, `"ownerReferences":[{"uid":"u"}],"resourceVersion"`, false},
	} {
		changed := strings.Replace(data, c.old, c.new, 1)
		if changed == data {
			t.Fatalf("%s is not in the deployment", c.old)
		}
		m, err := e.Encode([]byte(changed))
		if err != nil || (m.Hash == want) != c.same {
			t.Errorf("%s: got the same hash %t, want %t; error %v", c.new, m.Hash == want, c.same, err)
		}
	}
}

func TestNewEncoder_Errors(t *testing.T) {
	for _, opts := range []EncoderOptions{
		{},
		{GVK: schema.GroupVersionKind{Group: "apps", Version: "v1"}},
		{GVK: deploymentGVK, PodSpecTemplatePaths: []string{"spec"}, Redactor: NewRedactor(Redaction{Env: true}, [RedactionKeySize]byte{})},
	} {
		if _, err := NewEncoder(opts); err == nil {
			t.Errorf("%+v: got no error", opts)
		}
	}
}

func FuzzEncoder(f *testing.F) {
	for _, data := range objects() {
		if len(data) < 1<<10 {
			f.Add([]byte(data))
		}
	}
	f.Add(fixture(f, "pod.json"))
	e := newEncoder(f, EncoderOptions{GVK: podGVK})
	f.Fuzz(func(t *testing.T, data []byte) {
		checkEncode(t, e, data)
		head, err := ParseHead(data)
		m, encodeErr := e.Encode(data)
		_, duplicates, _ := decode(data)
		if encodeErr == nil && !duplicates && (err != nil || !cmp.Equal(head, m.Head)) {
			t.Errorf("ParseHead: got %v, %v, want %v", head, err, m.Head)
		}
	})
}
