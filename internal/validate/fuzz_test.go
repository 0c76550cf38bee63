package validate

import (
	"bytes"
	"io"
	"os"
	"testing"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// FuzzCheck checks every readable trace. The result must be the same twice, and the suggestion must
// be a valid program.
func FuzzCheck(f *testing.F) {
	for _, tc := range ruleCases() {
		f.Add(makeTrace(f, tc.trace))
	}
	f.Add(makeTrace(f, reportTrace()))
	for _, name := range []string{"bare-pods.sktrace", "cronjob.sktrace"} {
		if data, err := os.ReadFile("../../../shared/traces/" + name); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := Options{Node: &nodes.Shape{}}
		try := func() *Report {
			reader, err := trace.NewReader(bytes.NewReader(data))
			if err != nil {
				return nil
			}
			report, err := Check(t.Context(), reader, opts)
			if err != nil {
				return nil
			}
			return report
		}
		report := try()
		if report == nil {
			return
		}
		program := report.GenerateSKEL("x")
		if len(report.Findings) < 100 {
			if _, err := skel.Compile(program); err != nil {
				t.Errorf("%v\n%s", err, program)
			}
		}
		if again := try(); again.GenerateSKEL("x") != program || len(again.Findings) != len(report.Findings) {
			t.Errorf("got\n%s\nbefore it was\n%s", again.GenerateSKEL("x"), program)
		}
		for _, write := range []func(io.Writer) error{
			func(w io.Writer) error { return report.WriteText(w, TextOptions{}) },
			func(w io.Writer) error { return report.WriteJSON(w, "x") },
			func(w io.Writer) error { return report.WriteSARIF(w, "x", "") },
		} {
			if err := write(io.Discard); err != nil {
				t.Error(err)
			}
		}
	})
}
