package results

import (
	"path/filepath"
	"testing"
)

// writtenBefore is a folder of two runs as they were written before resources had names, runs had
// measures in their summary, and repetitions had versions and settings: two nodes, one of them with
// four GPUs, and four pods, one of which never got a node.
const writtenBefore = "testdata/written-before"

// TestRead_WrittenBefore holds that folders written earlier stay readable.
func TestRead_WrittenBefore(t *testing.T) {
	run, err := Read(filepath.Join(writtenBefore, "run-01"))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Pods) != 4 || len(run.Nodes) == 0 || len(run.Timeline) == 0 || len(run.Events) != 1 {
		t.Fatalf("got %d pods, %d rows of nodes, %d of the timeline and %d events",
			len(run.Pods), len(run.Nodes), len(run.Timeline), len(run.Events))
	}
	if p := run.Pods[2]; p.GPUs != 2 || p.Node != "node-2" || p.CPUMillis != 1000 {
		t.Errorf("third pod: %+v", p)
	}
	if last := run.Timeline[len(run.Timeline)-1]; last.GPUsAllocatable != 4 || last.Pending != 1 {
		t.Errorf("last row of the timeline: %+v", last)
	}
}
