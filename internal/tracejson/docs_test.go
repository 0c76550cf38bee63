package tracejson

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// block returns the fenced block of a language in a document.
func block(t *testing.T, document, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", document))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	block, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatalf("%s has no block of %s", document, language)
	}
	return block
}

func TestDocs_Lines(t *testing.T) {
	lines := block(t, "trace-tools.md", "jsonl")
	data, _, err := decode(t, lines)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines, encode(t, data, JSON)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDocs_SameTrace checks that both examples are the trace whose bytes the page on the format
// shows.
func TestDocs_SameTrace(t *testing.T) {
	var digits strings.Builder
	for line := range strings.Lines(block(t, "trace-format.md", "hex")) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.TrimSpace(line))
		}
	}
	want, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(block(t, "trace-tools.md", "jsonl"), "\n")
	for name, text := range map[string]string{
		"lines":      strings.Join(lines[:5], ""),
		"one object": block(t, "trace-tools.md", "json"),
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := decode(t, text)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %x, want %x", got, want)
			}
		})
	}
}
