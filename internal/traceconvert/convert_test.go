package traceconvert

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

// render returns a trace as text: the times and objects of all events, and the applied manifests.
func render(t *testing.T, tr *trace.Trace) string {
	t.Helper()
	var b strings.Builder
	for i := range tr.Events {
		e := &tr.Events[i]
		fmt.Fprintf(&b, "%s\n", time.Unix(e.Time, 0).UTC().Format(time.RFC3339))
		for j := range e.Applied {
			u, err := e.Applied[j].Unstructured()
			if err != nil {
				t.Fatal(err)
			}
			text, err := yaml.Marshal(u.Object)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "+ %s %s\n", u.GetKind(), e.Applied[j].NamespacedName())
			for line := range strings.Lines(string(text)) {
				b.WriteString("    " + line)
			}
		}
		for j := range e.Deleted {
			fmt.Fprintf(&b, "- %s %s\n", e.Deleted[j].GVK().Kind, e.Deleted[j].NamespacedName())
		}
	}
	for _, gvk := range slices.SortedFunc(maps.Keys(tr.Config.TrackedObjects), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	}) {
		fmt.Fprintf(&b, "config: %s: %+v\n", trace.FormatGVK(gvk), tr.Config.TrackedObjects[gvk])
	}
	var lifecycles []string
	for owner, hashes := range tr.Lifecycles {
		for hash, list := range hashes {
			lifecycles = append(lifecycles, fmt.Sprintf("lifecycles of %s %d: %v\n", owner, hash, list))
		}
	}
	slices.Sort(lifecycles)
	b.WriteString(strings.Join(lifecycles, ""))
	x, err := trace.ParseExtension(tr.Extension)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "times: %v\n", x.EventTimes)
	for _, n := range x.Nodes {
		fmt.Fprintf(&b, "node: %+v\n", n)
	}
	for _, p := range x.Pods {
		fmt.Fprintf(&b, "pod: %+v\n", p)
	}
	return b.String()
}

// convertFile converts a file and returns the trace.
func convertFile(t *testing.T, input string, opts Options) (*trace.Trace, Summary) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "out.sktrace")
	summary, err := Convert(t.Context(), input, output, opts)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := trace.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	index := trace.Index{}
	for i := range tr.Events {
		index.Record(&tr.Events[i])
	}
	if diff := gocmp.Diff(index, tr.Index); diff != "" {
		t.Errorf("index (-recorded +got):\n%s", diff)
	}
	return tr, summary
}

func TestConvert_Recordings(t *testing.T) {
	for name, tc := range map[string]struct {
		input string
		opts  Options
	}{
		"kwok":               {"kwok.yaml", Options{}},
		"kwok-started":       {"kwok.yaml", Options{Start: time.Unix(1700000000, 0), IncludedNamespaces: []string{"shop"}}},
		"kwok-owned":         {"kwok.yaml", Options{Owned: true}},
		"simulator":          {"simulator.jsonl", Options{}},
		"simulator-excluded": {"simulator.jsonl", Options{ExcludedNamespaces: []string{"ml"}}},
		"simulator-started":  {"simulator.jsonl", Options{Start: time.Unix(1700000000, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			tr, summary := convertFile(t, filepath.Join("testdata", tc.input), tc.opts)
			got := render(t, tr) + fmt.Sprintf("summary: %+v\n", summary)
			golden := filepath.Join("testdata", name+".golden")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(string(want), got); diff != "" {
				t.Errorf("trace (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConvert_SameRecording checks that all encodings of one recording result in the same trace.
func TestConvert_SameRecording(t *testing.T) {
	lines, err := os.ReadFile("testdata/simulator.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := convertFile(t, "testdata/simulator.jsonl", Options{})
	array := "\n[" + strings.ReplaceAll(strings.TrimSpace(string(lines)), "\n", ",\n") + "]\n"
	path := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(path, []byte(array), 0o600); err != nil {
		t.Fatal(err)
	}
	got, summary := convertFile(t, path, Options{})
	if diff := gocmp.Diff(render(t, want), render(t, got)); diff != "" || summary.From != SchedulerSimulator {
		t.Errorf("an array, taken for %s (-lines +array):\n%s", summary.From, diff)
	}
}

func TestConvert_Trace(t *testing.T) {
	const input = "../../examples/first-steps.sktrace"
	want, err := trace.ReadFile(input)
	if err != nil {
		t.Fatal(err)
	}
	var canonical, got bytes.Buffer
	if err := want.Write(&canonical); err != nil {
		t.Fatal(err)
	}
	tr, summary := convertFile(t, input, Options{})
	if err := tr.Write(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), canonical.Bytes()) || summary.From != Trace || summary.Events != len(want.Events) {
		t.Errorf("the trace is another: %+v", summary)
	}
}

func TestConvert_Errors(t *testing.T) {
	const patch = "apiVersion: action.kwok.x-k8s.io/v1alpha1\nkind: ResourcePatch\n"
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":          {"", "in: the file is empty"},
		"a text":           {"hello", "in: " + ErrUnknownFormat.Error()},
		"yaml":             {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n\n\na: [\n", "in: the document at line 5: "},
		"no name":          {"apiVersion: v1\nkind: Pod\n", "in: the document at line 1: metadata.name is missing"},
		"no kind":          {"apiVersion: v1\nkind: ''\n", "in: the document at line 1: not a Kubernetes object: apiVersion or kind is missing"},
		"a resource":       {patch + "method: delete\nresource: {group: a.io, version: v1, resource: oxen}\ntarget: {name: a}\n", `in: the document at line 1: the resource oxen of "a.io/v1" has no known kind: the recording has no object of it`},
		"a method":         {patch + "method: move\ntarget: {name: a}\n", `in: the document at line 1: method "move": want create, patch or delete`},
		"a patch of none":  {patch + "method: patch\nresource: {version: v1, resource: pods}\ntarget: {name: a}\ntemplate: {}\n", "in: the document at line 1: patch v1.Pod default/a: the recording has no such object to patch"},
		"yaml of line 8":   {"---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n# b\n\na: b: c\n", "in: the document at line 6: yaml: line 8: "},
		"an array alone":   {"[" + `{"event": "Add", "time": "2025-01-01T00:00:00Z", "resource": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}}` + "]]", "in: after record 1, at byte "},
		"a trace as json":  {`{"ts": 1}`, "in: " + ErrUnknownFormat.Error() + ", but a trace as JSON"},
		"another object":   {patch + "method: create\nresource: {version: v1, resource: pods}\ntarget: {name: a}\ntemplate: {apiVersion: v1, kind: Pod, metadata: {name: b}}\n", "in: the document at line 1: the create does not make a v1.Pod default/a"},
		"a record's event": {`{"event": "Modify", "time": "2025-01-01T00:00:00Z", "resource": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}}`, `in: record 1: event "Modify": want Add, Update or Delete`},
		"a record's time":  {`{"event": "Add", "resource": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}}`, "in: record 1: time 0001-01-01T00:00:00Z: must be between the years 1970 and 9999"},
		"half a record":    {`{"event": "Add", "resource": {`, "in: record 1: the file ends in the middle of it"},
		"an open array":    {`[{"event": "Add", "time": "2025-01-01T00:00:00Z", "resource": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}}`, "in: its end: the array of records is not closed"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			input, output := filepath.Join(dir, "in"), filepath.Join(dir, "out.sktrace")
			if err := os.WriteFile(input, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Convert(t.Context(), input, output, Options{Name: "in"})
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("error: got %v, want %s", err, tc.want)
			}
			left, _ := os.ReadDir(dir)
			if len(left) != 1 {
				t.Errorf("left are %v, want the input alone", left)
			}
		})
	}
}

func TestConvert_Interrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	for _, input := range []string{"testdata/kwok.yaml", "testdata/simulator.jsonl", "../../examples/first-steps.sktrace"} {
		if _, err := Convert(ctx, input, filepath.Join(t.TempDir(), "out"), Options{}); !errors.Is(err, stopped) {
			t.Errorf("%s: got %v, want %v", input, err, stopped)
		}
	}
}

// convertBytes converts a recording in memory and checks that the output is a valid trace.
func convertBytes(t *testing.T, data []byte, from func(io.Reader, *recording, func(*change) error) error) {
	t.Helper()
	rec := newRecording(&Options{Name: "in"})
	var out bytes.Buffer
	changes := func(yield func(*change) error) error { return from(bytes.NewReader(data), rec, yield) }
	create := func(config *trace.Config) (traceWriter, error) {
		return trace.NewWriter(&out, config, trace.WriterOptions{})
	}
	if _, err := convertRecording(t.Context(), changes, create, rec); err != nil {
		return
	}
	if _, err := trace.Read(&out); err != nil {
		t.Errorf("the conversion of %q is not a trace: %v", data, err)
	}
}

// TestConvert_Damaged converts recordings with lines removed, moved and changed.
func TestConvert_Damaged(t *testing.T) {
	for name, from := range map[string]func(io.Reader, *recording, func(*change) error) error{"kwok.yaml": walkKWOK, "simulator.jsonl": walkSimulator} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(damages) {
			r := rand.New(rand.NewPCG(seed, 3))
			data := bytes.Clone(text)
			for range 1 + r.IntN(3) {
				at := r.IntN(len(data))
				switch lines := bytes.SplitAfter(data, []byte("\n")); r.IntN(4) {
				case 0:
					data[at] = data[r.IntN(len(data))]
				case 1:
					n := r.IntN(len(lines))
					data = bytes.Join(slices.Delete(lines, n, n+1), nil)
				case 2:
					i, j := r.IntN(len(lines)), r.IntN(len(lines))
					lines[i], lines[j] = lines[j], lines[i]
					data = bytes.Join(lines, nil)
				default:
					data = append(data[:at:at], data[min(at+r.IntN(20), len(data)):]...)
				}
				if len(data) == 0 {
					break
				}
			}
			convertBytes(t, data, from)
		}
	}
}

const damages = 300

func fuzzConvert(f *testing.F, seed string, from func(io.Reader, *recording, func(*change) error) error) {
	text, err := os.ReadFile(seed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) { convertBytes(t, data, from) })
}

func FuzzConvert_KWOK(f *testing.F) { fuzzConvert(f, "testdata/kwok.yaml", walkKWOK) }

func FuzzConvert_SchedulerSimulator(f *testing.F) {
	fuzzConvert(f, "testdata/simulator.jsonl", walkSimulator)
}
