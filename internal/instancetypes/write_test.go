package instancetypes

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// rare has what few files have.
const rare = `apiVersion: simkube.io/v1
kind: InstanceTypes
types:
- name: "1e3"
  operatingSystem: windows
  labels: {a: "true", b: "010"}
  capacity: {cpu: 100m, memory: 1.5Gi, pods: 110}
  overhead: {}
  zones: [b, a]
  price: 0.3
  spotShare: 0.333
  startup: {median: 1m30s}
- name: no-spot
  capacity: {cpu: "1", memory: 1e9}
  zones: [b, a]
  price: 0
  startup: {median: 40s, p99: 70s}
- name: dearer-in-a
  capacity: {cpu: "1", memory: 1Gi}
  overhead: {cpu: 10m}
  offerings:
  - {zone: a, capacityType: on-demand, price: 2e-7}
  - {zone: b, capacityType: on-demand, price: 1}
- name: spot-alone
  capacity: {cpu: "1", memory: 1Gi}
  offerings: [{zone: a, capacityType: spot, price: 1, available: false}]
`

// sameWritten checks that a list is the same after it was written and parsed.
func sameWritten(t *testing.T, list *List) {
	t.Helper()
	for name, write := range map[string]func(io.Writer, *List) error{"YAML": WriteYAML, "JSON": WriteJSON} {
		var out bytes.Buffer
		if err := write(&out, list); err != nil {
			t.Fatal(err)
		}
		got, err := Parse(name, out.Bytes())
		if err != nil {
			t.Fatalf("%v in\n%s", err, out.String())
		}
		if diff := cmp.Diff(list, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s is not the same (-before +after):\n%s", name, diff)
		}
	}
}

func TestWrite(t *testing.T) {
	for name, in := range map[string]string{"two": two, "rare": rare} {
		t.Run(name, func(t *testing.T) {
			list, err := Parse(name, []byte(in))
			if err != nil {
				t.Fatal(err)
			}
			sameWritten(t, list)
		})
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			list, err := Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			sameWritten(t, list)
		})
	}
}

// What all types have in common is written once, and defaults are not.
func TestWriteYAML(t *testing.T) {
	in := strings.Split(two, "- name: big")[0]
	list, err := Parse("two", []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := WriteYAML(&out, list); err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: simkube.io/v1
kind: InstanceTypes
zones: [a, b]
spotShare: 0.5
overhead: {cpu: 100m}
types:
  - name: small
    capacity: {cpu: "2", memory: 8Gi}
    price: 0.1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A file in JSON may be indented with tabs.
func TestParse_Tabs(t *testing.T) {
	list, err := Parse("two", []byte(two))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteJSON(&out, list); err != nil {
		t.Fatal(err)
	}
	got, err := Parse("tabs", bytes.ReplaceAll(out.Bytes(), []byte("  "), []byte("\t")))
	if diff := cmp.Diff(list, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
