package trace

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

// formatDoc returns the description of the format, which these tests compare with the code.
func formatDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "trace-format.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block returns the fenced code block of a language.
func block(t *testing.T, doc, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(doc, "```"+language+"\n")
	text, _, checkEnded := strings.Cut(rest, "```")
	if !found || !checkEnded {
		t.Fatalf("no code block of %s", language)
	}
	return text
}

// table returns the rows below a table's header. Spaces and backquotes around the cells are
// removed.
func table(t *testing.T, doc, header string) (rows [][]string) {
	t.Helper()
	_, rest, found := strings.Cut(doc, header+"\n")
	if !found {
		t.Fatalf("no table with the header %s", header)
	}
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		var row []string
		for _, cell := range strings.Split(strings.Trim(line, "|\n"), "|") {
			row = append(row, strings.Trim(strings.TrimSpace(cell), "`"))
		}
		if row[0] != "---" {
			rows = append(rows, row)
		}
	}
	return rows
}

func TestFormatDoc_Example(t *testing.T) {
	var digits strings.Builder
	for line := range strings.Lines(block(t, formatDoc(t), "hex")) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.TrimSpace(line))
		}
	}
	data, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	got := mustRead(t, data)
	if written := mustWrite(t, got); !bytes.Equal(written, data) {
		t.Errorf("written:\ngot  %x\nwant %x", written, data)
	}
	wantEvents := []eventNames{
		{1_700_000_000, []string{"v1.Pod a/b"}, nil},
		{1_700_000_060, nil, []string{"v1.Pod a/b"}},
	}
	if diff := cmp.Diff(wantEvents, namesOf(got)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	pod := &got.Events[0].Applied[0]
	u, err := pod.Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	podHash, err := HashPodSpec(u.Object["spec"].(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	want := Trace{
		Config:     Config{TrackedObjects: map[schema.GroupVersionKind]TrackedObject{podKind: {TrackLifecycle: true}}},
		Events:     got.Events,
		Index:      Index{podKind: {"a/b": pod.Hash()}},
		Lifecycles: Lifecycles{{podKind, "a/b"}: {podHash: {{Finished, 1_700_000_005, 1_700_000_055}}}},
	}
	if diff := cmp.Diff(&want, got, sameTrace()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormatDoc_Tables(t *testing.T) {
	doc := formatDoc(t)
	t.Run("keys", func(t *testing.T) {
		var got []string
		for _, row := range table(t, doc, "| key | value |") {
			got = append(got, row[0])
		}
		if diff := cmp.Diff(append(requiredKeys(), keyExtension), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("limits", func(t *testing.T) {
		var got []string
		for _, row := range table(t, doc, "| limit | value |") {
			got = append(got, row[1])
		}
		want := []string{
			strconv.Itoa(Version), strconv.Itoa(MaxDepth), strconv.Itoa(maxObjectBytes), strconv.Itoa(maxEvents),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("kinds", func(t *testing.T) {
		for _, row := range table(t, doc, "| kind | path |") {
			gvk, err := ParseGVK(row[0])
			if err != nil {
				t.Fatal(err)
			}
			if path, ok := knownPath(gvk); !ok || path != row[1] {
				t.Errorf("%s: got %q, %t, want %q", row[0], path, ok, row[1])
			}
		}
	})
	t.Run("hashes", func(t *testing.T) {
		rows := table(t, doc, "| JSON | hash |")
		for _, row := range rows {
			var v any
			if err := json.Unmarshal([]byte(row[0]), &v); err != nil {
				t.Fatal(err)
			}
			if got := strconv.FormatUint(mustHash(t, v), 10); got != row[1] {
				t.Errorf("%s: got %s, want %s", row[0], got, row[1])
			}
		}
		if len(rows) < 9 {
			t.Errorf("got %d rows, want 9", len(rows))
		}
	})
}

func TestFormatDoc_Config(t *testing.T) {
	doc := formatDoc(t)
	_, warnings, err := ParseConfig([]byte(block(t, doc, "yaml")))
	if err != nil || len(warnings) > 0 {
		t.Errorf("got %v and the warnings %q, want none", err, warnings)
	}
}

func TestFormatDoc_Error(t *testing.T) {
	_, err := Read(bytes.NewReader(pack(traceFields.with("events", []any{
		eventList[0], eventList[1], eventList[1],
		ordered{"ts", 1_700_000_001, "applied_objs", []any{podManifest.with("metadata", "x")}, "deleted_objs", []any{}},
	}))))
	if err == nil {
		t.Fatal("want an error")
	}
	_, text, _ := strings.Cut(err.Error(), ": ")
	if want := fmt.Sprintf(": %s\n", text); !strings.Contains(formatDoc(t), want) {
		t.Errorf("the description does not have the error %q", text)
	}
}
