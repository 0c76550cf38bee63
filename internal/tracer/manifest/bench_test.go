package manifest

import "testing"

func BenchmarkEncoder_Encode(b *testing.B) {
	for _, c := range []struct {
		name, file string
		opts       EncoderOptions
	}{
		{"deployment", "deployment.json", EncoderOptions{GVK: deploymentGVK}},
		{"pod", "pod.json", EncoderOptions{GVK: podGVK}},
		{"redacted", "deployment.json", EncoderOptions{
			GVK: deploymentGVK, PodSpecTemplatePaths: []string{"/spec/template"}, Redactor: NewRedactor(Redaction{Env: true}, [RedactionKeySize]byte{}),
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			data := fixture(b, c.file)
			e := newEncoder(b, c.opts)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Encode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmark[T any](b *testing.B, name string, parse func([]byte) (T, error)) {
	b.Run(name, func(b *testing.B) {
		data := fixture(b, name+".json")
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := parse(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParseHead(b *testing.B) { benchmark(b, "pod", ParseHead) }

func BenchmarkParsePod(b *testing.B) { benchmark(b, "pod", ParsePod) }

func BenchmarkParseNode(b *testing.B) { benchmark(b, "node", ParseNode) }

func BenchmarkPodHash(b *testing.B) {
	benchmark(b, "pod", func(data []byte) (uint64, error) { return PodHash(data, nil) })
}
