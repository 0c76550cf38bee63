package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

// What comes from a trace or a cluster cannot move the cursor or change colours. Lines that are not
// live have no escape sequences at all.
func TestEscapes(t *testing.T) {
	const evil = "a\x1b[31m\u009b31m\u202eb"
	const want = `a\x1b[31m\u009b31m\u202eb`
	for name, show := range map[string]func(w *bytes.Buffer, opts Options){
		"note": func(w *bytes.Buffer, opts Options) {
			New(w, opts).Note(simulation.Note{Level: simulation.Warning, Text: evil})
		},
		"progress": func(w *bytes.Buffer, opts Options) {
			New(w, opts).Update(simulation.Progress{Phase: simulation.Cleaning, Detail: evil})
		},
		"run's note": func(w *bytes.Buffer, opts Options) {
			NewRuns(w, 2, opts).Note(1, simulation.Note{Level: simulation.Info, Text: evil})
		},
		"run's progress": func(w *bytes.Buffer, opts Options) {
			NewRuns(w, 2, opts).Update(1, simulation.Progress{Phase: simulation.Cleaning, Detail: evil})
		},
		"run's end": func(w *bytes.Buffer, opts Options) {
			NewRuns(w, 2, opts).End(results.Repetition{Number: 1, Status: results.RunFailed, Error: evil})
		},
		"bar": func(w *bytes.Buffer, opts Options) {
			clock := clocktesting.NewFakeClock(time.Unix(0, 0))
			opts.Clock = clock
			bar := NewBar(w, evil, "events", 100, opts)
			clock.Step(time.Hour)
			bar.Set(50)
		},
		"transfer": func(w *bytes.Buffer, opts Options) { NewTransfer(w, evil, opts).Close() },
	} {
		var out bytes.Buffer
		show(&out, Options{})
		if text := out.String(); strings.ContainsAny(text, "\x1b\u009b\u202e") || text != "" && !strings.Contains(text, want) {
			t.Errorf("%s: got %q, want %s in it", name, text, want)
		}
		out.Reset()
		show(&out, Options{Live: true, Colour: true, Width: func() int { return 200 }})
		if text := out.String(); strings.Contains(text, "\x1b[31m\u009b") || strings.ContainsAny(text, "\u009b\u202e") || !strings.Contains(text, want) {
			t.Errorf("%s, live: got %q, want %s in it", name, text, want)
		}
	}
}
