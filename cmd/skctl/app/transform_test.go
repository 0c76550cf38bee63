package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/skel"
)

// --dry-run shows each kind of change.
func TestTransform_Changes(t *testing.T) {
	code, stdout, stderr := run(t, "transform", firstSteps, "--dry-run", "--changes", "4", "-e", `
insert(10s, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", "namespace": "demo"}});
modify(kind == "Deployment" && spec.replicas == 3, spec.replicas = 30);
shift(kind == "Pod", 1h);
delete(kind == "Job");`)
	if code != exitDone || stderr != "" {
		t.Errorf("exit code is %d, standard error %q", code, stderr)
	}
	want := `inserted, 2026-03-10T09:00:10Z
  becomes v1.ConfigMap demo/new
  @@ line 1 @@
  + apiVersion: v1
  + kind: ConfigMap
  + metadata:
  +   name: new
  +   namespace: demo
event 0, 2026-03-10T09:00:00Z: apps/v1.Deployment demo/web
  @@ line 7 @@
      namespace: demo
    spec:
  -   replicas: 3
  +   replicas: 30
      selector:
        matchLabels:
event 2, 2026-03-10T09:00:45Z: v1.Pod demo/shell
  moves by 1h0m0s
event 3, 2026-03-10T09:01:00Z: batch/v1.Job demo/report is deleted
`
	got, table, _ := strings.Cut(stdout, firstSteps+" would become:\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	for _, part := range []string{
		"2                2                0                2  5: delete(kind == \"Job\")\n",
		"2: insert(10s, {\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"meta…\n",
		"in total\n",
		"8 events with 8 objects become 7 with 7\n",
	} {
		if !strings.Contains(table, part) {
			t.Errorf("the summary lacks %q:\n%s", part, table)
		}
	}
}

// The summary can be printed for programs.
func TestTransform_Summary(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.sktrace")
	code, stdout, _ := run(t, "transform", firstSteps, "--summary", "json", "-o", out, "-e", `modify(kind == "Deployment", spec.replicas = 1);`)
	if code != exitDone {
		t.Fatalf("exit code is %d", code)
	}
	var got skel.Summary
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	counts := skel.Counts{Events: 4, Objects: 4, Fields: 4}
	want := skel.Summary{
		Counts:     counts,
		Commands:   []skel.CommandSummary{{Command: `modify(kind == "Deployment", spec.replicas = 1)`, Line: 1, Counts: counts}},
		EventsRead: 8, EventsWritten: 8, ObjectsRead: 8, ObjectsWritten: 8,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSkel_Format(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.skel")
	const messy, tidy = "remove( status )  ;# why\n", "remove(status); # why\n"
	if err := os.WriteFile(file, []byte(messy), 0o640); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := run(t, "skel", "fmt", file); code != exitDone || stdout != tidy {
		t.Errorf("printed: got %d, %q", code, stdout)
	}
	if code, stdout, stderr := run(t, "skel", "fmt", "--check", file); code != exitFailed || stdout != file+"\n" || !strings.Contains(stderr, "1 of 1") {
		t.Errorf("checked: got %d, %q, %q", code, stdout, stderr)
	}
	if code, _, _ := run(t, "skel", "fmt", "-w", file); code != exitDone {
		t.Errorf("written: got %d", code)
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != tidy {
		t.Errorf("the file is %q, %v", got, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	if code, _, _ := run(t, "skel", "fmt", "--check", file); code != exitDone {
		t.Errorf("checked again: got %d", code)
	}
	// A program with mistakes is not changed.
	const wrong = "remove( status"
	if err := os.WriteFile(file, []byte(wrong), 0o640); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := run(t, "skel", "fmt", "-w", file); code != exitFailed || !strings.Contains(stderr, file+":1:15:") {
		t.Errorf("with a mistake: got %d, %q", code, stderr)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != wrong {
		t.Errorf("the file is %q, %v", got, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}
