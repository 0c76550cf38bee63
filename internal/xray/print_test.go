package xray

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"simkube.io/simkube/internal/timeline"
)

func TestPrint(t *testing.T) {
	for _, tc := range []struct {
		name, path string
		opts       PrintOptions
	}{
		{"first_steps", firstSteps, PrintOptions{}},
		{"diff", firstSteps, PrintOptions{Diff: true, Query: Query{Name: "web"}}},
		{"varied", "", PrintOptions{}},
		{"varied_diff", "", PrintOptions{Diff: true}},
		{"colour", "", PrintOptions{Diff: true, Colour: true, Query: Query{Kinds: "Deployment"}}},
		{"kind", "", PrintOptions{Query: Query{Kinds: "pod, Node"}}},
		{"namespace", firstSteps, PrintOptions{Query: Query{Namespaces: "demo"}}},
		{"text", "", PrintOptions{Query: Query{Text: "TWO"}}},
		{"selector", "", PrintOptions{Query: Query{Selector: "kind == Pod"}, Compile: compileForTest}},
		{"from_to", "", PrintOptions{From: "12:01", To: "+1h"}},
		{"from_end", firstSteps, PrintOptions{From: "-1m"}},
		{"bare_pods", "bare-pods.sktrace", PrintOptions{}},
		{"cronjob", "cronjob.sktrace", PrintOptions{Diff: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := tc.path
			if path == "" {
				path = variedTrace(t)
			}
			var out bytes.Buffer
			if err := Print(t.Context(), &out, openTrace(t, path), tc.opts); err != nil {
				t.Fatal(err)
			}
			golden(t, tc.name, out.String())
		})
	}
}

// TestPrint_WhileIndexing prints a trace that is not indexed yet: it is the same.
func TestPrint_WhileIndexing(t *testing.T) {
	var want bytes.Buffer
	if err := Print(t.Context(), &want, openTrace(t, "../../examples/day.sktrace"), PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	file, err := timeline.Open(t.Context(), "../../examples/day.sktrace", timeline.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var got bytes.Buffer
	if err := Print(t.Context(), &got, file, PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Error("it is not the same")
	}
	if lines := strings.Count(want.String(), "event "); lines != file.Len() {
		t.Errorf("%d events are printed of %d", lines, file.Len())
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestPrint_Errors(t *testing.T) {
	file := openTrace(t, firstSteps)
	disk := errors.New("disk full")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		w    io.Writer
		opts PrintOptions
		want string
	}{
		"nobody reads":    {nil, failingWriter{syscall.EPIPE}, PrintOptions{}, ""},
		"no room":         {nil, failingWriter{disk}, PrintOptions{}, "disk full"},
		"a bad time":      {nil, io.Discard, PrintOptions{To: "noon"}, `invalid --to "noon": must be like 10:30, +2h, -5m, 2024-01-01T10:30:00Z, 1704105000`},
		"an event":        {nil, io.Discard, PrintOptions{From: "#3"}, `invalid --from "#3": must be a time, not an event`},
		"a bad selector":  {nil, io.Discard, PrintOptions{Query: Query{Selector: "x"}, Compile: compileForTest}, "1:17: want a value\n  x\n   ^"},
		"no selectors":    {nil, io.Discard, PrintOptions{Query: Query{Selector: "x"}}, "selectors are not available here"},
		"a bad pattern":   {nil, io.Discard, PrintOptions{Query: Query{Name: "[x"}}, `invalid name "[x": must be a part of a name, or a pattern such as web-*: syntax error in pattern`},
		"it is cancelled": {cancelled, io.Discard, PrintOptions{}, "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := tc.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			got := ""
			if err := Print(ctx, tc.w, file, tc.opts); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
