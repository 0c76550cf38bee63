package truth

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/results"
)

// each replays every set alone, which takes some minutes. By default sets whose objects have
// different names are replayed together.
var each = flag.Bool("each", false, "replay each set of manifests alone")

// speed is how many seconds of the trace pass in a second of the wall clock.
const speed = "120"

func TestVirtual(t *testing.T) {
	t.Parallel()
	checkAll(t)
}

func TestReal(t *testing.T) {
	t.Parallel()
	checkAll(t, "--time", "real", "--speed", speed)
}

// checkAll replays all sets with the flags args.
func checkAll(t *testing.T, args ...string) {
	t.Helper()
	sets := append(ownSets(t), sharedSets(t)...)
	for _, batch := range batches(t, sets, *each) {
		t.Run(batch[0].name, func(t *testing.T) {
			t.Parallel()
			check(t, simulate(t, writeTrace(t, batch...), args...), batch...)
		})
	}
}

// batches divides sets into batches of which no two sets have an object of the same name. Sets in
// ownNodes have batches of their own.
func batches(t *testing.T, sets []set, alone bool) [][]set {
	t.Helper()
	var all [][]set
	var taken []map[string]bool
next:
	for _, s := range sets {
		objects := s.read(t)
		for i := range all {
			if alone || ownNodes[s.name] || ownNodes[all[i][0].name] || slices.ContainsFunc(objects, func(u *unstructured.Unstructured) bool { return taken[i][key(u)] }) {
				continue
			}
			all[i] = append(all[i], s)
			for _, u := range objects {
				taken[i][key(u)] = true
			}
			continue next
		}
		names := map[string]bool{}
		for _, u := range objects {
			names[key(u)] = true
		}
		all, taken = append(all, []set{s}), append(taken, names)
	}
	return all
}

// simulate replays a trace and returns the summary.
func simulate(t *testing.T, path string, args ...string) results.Summary {
	t.Helper()
	output := filepath.Join(t.TempDir(), "out")
	cmd := exec.CommandContext(t.Context(), skctl(t), append([]string{"simulate", path, "-o", output}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "TMPDIR="+t.TempDir())
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	data, err := os.ReadFile(filepath.Join(output, results.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var summary results.Summary
	if err := json.Unmarshal(data, &summary); err != nil {
		t.Fatal(err)
	}
	return summary
}

func skctl(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/skctl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		prerequisite.Missing(t, prerequisite.Programs, "%v (make build)", err)
	}
	return path
}

// check compares the pods of each owner with those that the sets ask for, and the deviations with
// those that are known.
func check(t *testing.T, summary results.Summary, sets ...set) {
	t.Helper()
	want, missing, known, adopting := expected{}, expected{}, map[string]string{}, []string{}
	for _, s := range sets {
		maps.Copy(want, s.want)
		maps.Copy(missing, neverRun[s.name])
		maps.Copy(known, deviations[s.name])
		adopting = append(adopting, adopt[s.name]...)
	}
	ran := map[string]results.OwnerCounts{}
	for _, owner := range summary.Outcome.ByOwner {
		ran[fmt.Sprintf("%s %s/%s", owner.Kind, owner.Namespace, owner.Name)] = owner
	}
	for _, owner := range slices.Sorted(maps.Keys(want)) {
		pods, never := want[owner], missing[owner]
		if pods == perNode {
			pods = summary.Outcome.Nodes.Count
		}
		if never == perNode {
			never = pods
		}
		if pods == someNodes {
			pods = max(1, ran[owner].Pods)
		}
		if slices.Contains(adopting, owner) {
			pods = min(pods, ran[owner].Pods)
		}
		got := ran[owner]
		if got.Pods-got.NeverScheduled != pods-never || got.NeverScheduled > never {
			t.Errorf("%s: %d pods ran and %d never did, want %d and %d",
				owner, got.Pods-got.NeverScheduled, got.NeverScheduled, pods-never, never)
		}
		delete(ran, owner)
	}
	for _, owner := range slices.Sorted(maps.Keys(ran)) {
		t.Errorf("%s: %d pods, which the manifests do not ask for", owner, ran[owner].Pods)
	}
	found := map[string]bool{}
	for _, d := range summary.Outcome.Deviations.First {
		name := d.Category + " " + d.Subject()
		found[name] = true
		if reason, ok := known[name]; !ok || !strings.Contains(d.Reason, reason) {
			t.Errorf("deviation %s: %s", name, d.Reason)
		}
		if d.Category == results.NotCreated && d.Owner != nil {
			never := missing[d.Subject()]
			if never == perNode {
				never = summary.Outcome.Nodes.Count
			}
			if d.Count != never {
				t.Errorf("deviation %s: %d pods, want %d", name, d.Count, never)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !found[name] {
			t.Errorf("no deviation %s, which is known", name)
		}
	}
}
