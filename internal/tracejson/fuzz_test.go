package tracejson

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/trace"
)

// FuzzDecode checks that every input is rejected with a position, or makes a trace that its own
// JSON makes again.
func FuzzDecode(f *testing.F) {
	for _, data := range sampleTraces(f) {
		if len(data) < 1<<14 {
			f.Add([]byte(encode(f, data, JSON)))
		}
	}
	f.Add([]byte(encode(f, hostileTrace(f), JSON)))
	for _, text := range []string{
		`{"ts":1,"applied_objs":[` + podA + `]}` + "\n" + `{"ts":6,"deleted_objs":[` + podA + `]}`,
		`{"events":[{"ts":1}],"version":2,"config":{"trackedObjects":{"v1.Pod":null,"a/v1.B":{"podSpecTemplatePath":"/a"}}},"index":{"v1.Pod":{"a":-1}},"pod_lifecycles":{"v1.Pod":{"a":{"1":["Empty"]}}}}`,
		`{"ts":1}{"x-simkube":{"pods":[{"hash":"7"},{"hash":7}],"a":{"$msgpack":"AQ=="},"b":[1.5,-0.0,"\ud83d\ude00",null,true]}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		data, _, err := decode(t, string(text))
		if err != nil {
			var e *Error
			if !errors.As(err, &e) && !errors.Is(err, trace.ErrOrder) {
				t.Errorf("got %v, want an *Error", err)
			}
			if e != nil && (e.Line < 1 || e.Column < 1 || e.Column > len(text)+1) {
				t.Errorf("the place is none: %v", e)
			}
			return
		}
		again, _, err := decode(t, encode(t, data, JSON))
		if err != nil {
			t.Fatalf("its own JSON: %v", err)
		}
		if !bytes.Equal(again, data) {
			t.Error("its own JSON makes another trace")
		}
		sameAsJSONWhereFloatsFit(t, data)
	})
}

// sameAsJSONWhereFloatsFit checks that the YAML has the same value as the JSON.
func sameAsJSONWhereFloatsFit(t *testing.T, data []byte) {
	t.Helper()
	if len(data) < 1<<12 {
		sameAsJSON(t, encode(t, data, JSON), encode(t, data, YAML))
	}
}

// FuzzRoundTrip checks that the JSON of any trace makes the trace that package trace writes.
func FuzzRoundTrip(f *testing.F) {
	for _, data := range sampleTraces(f) {
		if len(data) < 1<<14 {
			f.Add(data)
		}
	}
	f.Add(hostileTrace(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, err := trace.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var want bytes.Buffer
		if err := tr.Write(&want); err != nil {
			return // events out of order
		}
		got, _, err := decode(t, encode(t, data, JSON))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Error("the trace is another one after the round trip")
		}
	})
}

// FuzzExtension checks that the JSON of any extension makes the same bytes.
func FuzzExtension(f *testing.F) {
	f.Add(hostileExtension())
	f.Fuzz(func(t *testing.T, extension []byte) {
		tr := trace.Trace{Extension: extension}
		var want bytes.Buffer
		if len(extension) == 0 || tr.Write(&want) != nil {
			return
		}
		if _, err := msgp.Skip(extension); err != nil {
			t.Fatal(err)
		}
		got, _, err := decode(t, encode(t, want.Bytes(), JSON))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Error("the trace is another one after the round trip")
		}
	})
}
