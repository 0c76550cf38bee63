package tracejson

import (
	"bytes"
	"io"
	"testing"

	"simkube.io/simkube/trace"
)

func dayTrace(b *testing.B) []byte {
	b.Helper()
	return sampleTraces(b)["day.sktrace"]
}

// BenchmarkEncode measures encoding and reading a trace, in the trace's bytes.
func BenchmarkEncode(b *testing.B) {
	data := dayTrace(b)
	for name, format := range map[string]Format{"JSON": JSON, "YAML": YAML} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				reader, err := trace.NewReader(bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				e := NewEncoder(io.Discard, format)
				for event, err := range reader.Events() {
					if err != nil {
						b.Fatal(err)
					}
					if err := e.Event(event); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkDecode measures decoding, in the JSON's bytes.
func BenchmarkDecode(b *testing.B) {
	text := encode(b, dayTrace(b), JSON)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Decode(b.Context(), bytes.NewReader([]byte(text)), io.Discard, DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
