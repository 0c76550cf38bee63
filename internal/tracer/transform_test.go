package tracer

import (
	"bytes"
	"errors"
	"iter"
	"os"
	"strings"
	"testing"

	"simkube.io/simkube/internal/tracer/export"
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/server"
	"simkube.io/simkube/trace"
)

// emptySource has no entries from 1000 to 2000.
type emptySource struct{}

func none[T any](func(T, error) bool) {}

func (emptySource) Begin() int64                                       { return 1000_000 }
func (emptySource) Time() int64                                        { return 2000_000 }
func (emptySource) StateAt(int64) iter.Seq2[*log.Record, error]        { return none[*log.Record] }
func (emptySource) Changes(int64, int64) iter.Seq2[*log.Record, error] { return none[*log.Record] }
func (emptySource) Before(log.Key, log.Seq) (*log.Record, error)       { return nil, nil }
func (emptySource) At(log.Key, int64) (*log.Record, error)             { return nil, nil }
func (emptySource) Pods(int64, int64) iter.Seq2[*log.Pod, error]       { return none[*log.Pod] }
func (emptySource) Nodes(int64, int64) iter.Seq2[*log.Node, error]     { return none[*log.Node] }
func (emptySource) Gaps(int64, int64) iter.Seq2[*log.Gap, error]       { return none[*log.Gap] }

const insertPod = `insert(1500, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": {}});`

func TestTracer_ExportTransformed(t *testing.T) {
	for _, test := range []struct {
		name, program string
		strict        bool
		// problem is the problem of the request in the response; empty if the response is the trace.
		problem      string
		line, column int
	}{
		{name: "a trace", program: insertPod},
		{name: "a strict trace", program: insertPod, strict: true},
		{name: "a command without effect", program: insertPod + "\ndelete(kind == \"Deploymnet\");"},
		{
			name: "a command without effect, strict", program: insertPod + "\ndelete(kind == \"Deploymnet\");", strict: true,
			problem: `the command changes nothing: delete(kind == "Deploymnet") (no object has the kind "Deploymnet")`, line: 2,
		},
		{name: "a mistake", program: "remov(status);", problem: "there is no command `remov`; did you mean remove?", line: 1, column: 1},
		{
			name: "what cannot be done to an inserted object", program: insertPod + "\nmodify(kind.x = 1);",
			problem: `the inserted v1.Pod n/p: kind is "Pod", it has no field x`, line: 2, column: 1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			spool := t.TempDir()
			var out bytes.Buffer
			opts := export.Options{Config: &trace.Config{}, SpoolDir: spool}
			summary, err := (&Tracer{}).exportTransformed(t.Context(), emptySource{}, export.Request{Start: 1000, End: 2000}, transformation{test.program, test.strict}, &out, opts)
			if left, readErr := os.ReadDir(spool); readErr != nil || len(left) > 0 {
				t.Errorf("left behind: got %v, %v, want nothing", left, readErr)
			}
			if test.problem == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkInserted(t, &out, &summary)
				if got, want := len(summary.Report.Unmatched), strings.Count(test.program, "\n"); got != want || want > 0 && summary.Report.Unmatched[0].Line != 2 {
					t.Errorf("report: got %+v, want %d commands, of line 2", summary.Report, want)
				}
				return
			}
			var wrong *server.RequestError
			if !errors.As(err, &wrong) || len(wrong.Problems) != 1 {
				t.Fatalf("error: got %v, want one problem of the request", err)
			}
			got := wrong.Problems[0]
			if !strings.Contains(got.Message, test.problem) || got.Line != test.line || got.Column != test.column || got.Field != "transform" {
				t.Errorf("problem: got %+v, want %q at %d:%d", got, test.problem, test.line, test.column)
			}
			if out.Len() > 0 {
				t.Errorf("sent: got %d bytes, want none", out.Len())
			}
		})
	}
}

// checkInserted looks for the inserted pod in an export.
func checkInserted(t *testing.T, out *bytes.Buffer, summary *server.Summary) {
	t.Helper()
	got, err := trace.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	last := got.Events[len(got.Events)-1]
	if last.Time != 1500 || len(last.Applied) != 1 || last.Applied[0].NamespacedName() != "n/p" {
		t.Errorf("last event: got %+v, want the pod at 1500", last)
	}
	if summary.Events != int64(len(got.Events)) || summary.Objects != 1 || summary.Start != got.Events[0].Time {
		t.Errorf("summary: got %+v, want that of %d events", summary, len(got.Events))
	}
}
