package test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

// Stages of the user's own may make pods run longer than recorded, or fail, so that their
// controllers create more of them. Both are deviations.
func TestSimulate_DeviationsOfStages(t *testing.T) {
	t.Parallel()
	job := workloadOf(t, jobKind, "shop", "report", nil, completions(2))
	tr := trace.Trace{
		Events: []trace.Event{{Time: traceStart, Applied: []trace.Object{job}}, {Time: traceStart + 200}},
		Lifecycles: trace.Lifecycles{
			{GVK: jobKind, Name: "shop/report"}: finishedPods(2, 30),
		},
	}
	file := filepath.Join(t.TempDir(), "stages.sktrace")
	if err := tr.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	// It replaces the stage that ends pods when they have run as long as recorded.
	const ends = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-complete}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .status.phase, operator: In, values: [Running]}
`
	for name, c := range map[string]struct {
		stage string
		want  []string
	}{
		"late":   {ends + "  delay: {durationMilliseconds: 90000}\n  next: {statusTemplate: 'phase: Succeeded'}\n", []string{"endedLate Job shop/report"}},
		"failed": {ends + "  delay: {durationMilliseconds: 10000}\n  next: {statusTemplate: 'phase: Failed'}\n", []string{"endedEarly Job shop/report", "ranMore Job shop/report"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			if err := os.WriteFile(filepath.Join(s.dir, "stage.yaml"), []byte(c.stage), 0o600); err != nil {
				t.Fatal(err)
			}
			s.skctl("simulate", file, "-o", "out", "--strict", "--kwok-stages", "stage.yaml").check(t, deviated)
			var got []string
			for _, d := range summary(t, filepath.Join(s.dir, "out")).Outcome.Deviations.First {
				got = append(got, d.Category+" "+d.Subject())
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("deviations (-want +got):\n%s", diff)
			}
		})
	}
}
