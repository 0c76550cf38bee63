package validate

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a trace in the notation of the tests.
type script struct {
	// Nodes are the allocatable resources of the recorded nodes.
	Nodes  []map[string]string `json:"nodes"`
	Events []struct {
		TS      int64            `json:"ts"`
		Applied []map[string]any `json:"applied"`
		Deleted []map[string]any `json:"deleted"`
	} `json:"events"`
}

const testConfig = `
trackedObjects:
  apps/v1.Deployment: {}
  batch/v1.CronJob: {}
  v1.Pod: {}
  v1.ConfigMap: {}
  batch.volcano.sh/v1alpha1.Job:
    podSpecTemplatePaths: [/spec/tasks/*/template]
`

// makeTrace returns the bytes of a trace. It does not use a Writer, because a Writer rejects events
// that are out of order.
func makeTrace(t testing.TB, text string) []byte {
	t.Helper()
	var s script
	if err := yaml.UnmarshalStrict([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	config, _, err := trace.ParseConfig([]byte(testConfig))
	if err != nil {
		t.Fatal(err)
	}
	tr := trace.Trace{Config: *config, Index: trace.Index{}}
	object := func(m map[string]any) trace.Object {
		obj, err := trace.NewObject(&unstructured.Unstructured{Object: whole(m).(map[string]any)})
		if err != nil {
			t.Fatal(err)
		}
		return obj
	}
	for _, e := range s.Events {
		event := trace.Event{Time: e.TS}
		for _, m := range e.Applied {
			event.Applied = append(event.Applied, object(m))
		}
		for _, m := range e.Deleted {
			event.Deleted = append(event.Deleted, object(m))
		}
		tr.Events = append(tr.Events, event)
		tr.Index.Record(&event)
	}
	if len(s.Nodes) > 0 {
		x := trace.Extension{}
		for i, allocatable := range s.Nodes {
			x.Nodes = append(x.Nodes, trace.NodePeriod{Name: fmt.Sprint("node", i), NodeShape: trace.NodeShape{Allocatable: allocatable}})
		}
		if tr.Extension, err = x.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := tr.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// whole converts the floats that result from decoding YAML to integers.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			v[key] = whole(e)
		}
	case []any:
		for i, e := range v {
			v[i] = whole(e)
		}
	case float64:
		return int64(v)
	}
	return v
}

// check checks the bytes of a trace.
func check(t testing.TB, data []byte, opts Options) *Report {
	t.Helper()
	reader, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Check(t.Context(), reader, opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// golden compares with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (-update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
