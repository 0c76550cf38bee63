package skel_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

func TestProgram_Run_EventTimes(t *testing.T) {
	input := `
@1000
+ v1.Pod n/a {spec: {x: 1}}
+ v1.Pod n/b {spec: {x: 2}}
@1010
@1020
+ v1.Pod n/b
- v1.Pod n/a
@1030
- v1.Pod n/b
`
	times := [][]uint16{{10, 20}, nil, {30, 40}, {50}}
	for _, test := range []struct {
		name, program string
		times, want   [][]uint16
	}{
		{"as it was", `remove(status);`, times, times},
		{"some objects are gone", `delete(metadata.name == "a");`, times, [][]uint16{{20}, nil, {30}, {50}}},
		{"events are gone", `delete(metadata.name == "b");`, times, [][]uint16{{10}, nil, {40}}},
		{"everything is gone", `delete(*);`, times, [][]uint16{nil}},
		{"objects are where nobody recorded them", `duplicate(*, 1);`, times, nil},
		{"it did not fit before", `delete(metadata.name == "a");`, [][]uint16{{10}, nil, {30, 40}, {50}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := parseTrace(t, input)
			before := trace.Extension{EventTimes: test.times}
			var err error
			if in.Extension, err = before.Encode(); err != nil {
				t.Fatal(err)
			}
			out, _, err := mustCompile(t, test.program).RunTrace(t.Context(), in, skel.RunOptions{Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			got, err := trace.ParseExtension(out.Extension)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.EventTimes); diff != "" {
				t.Errorf("times (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProgram_Run_NewerExtension checks that an extension of an unknown version is kept as long as
// isEmpty is removed that it could refer to.
func TestProgram_Run_NewerExtension(t *testing.T) {
	newer := []byte("\x82\xa7version\x09\xa3new\xc3")
	for _, test := range []struct {
		name, program string
		want          []byte
	}{
		{"a field goes", `remove(status);`, newer},
		{"an object goes", `delete(metadata.name == "a");`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := parseTrace(t, "@1000\n+ v1.Pod n/a\n+ v1.Pod n/b")
			in.Extension = newer
			out, _, err := mustCompile(t, test.program).RunTrace(t.Context(), in, skel.RunOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.Extension); diff != "" {
				t.Errorf("extension (-want +got):\n%s", diff)
			}
		})
	}
}
