package replay

import (
	"testing"
	"testing/synctest"
)

// TestRun_ExpiringJob checks that the deletion of a Job is no problem if the cluster has deleted
// the Job earlier by itself.
func TestRun_ExpiringJob(t *testing.T) {
	for name, test := range map[string]struct {
		spec   string
		absent int
	}{
		"expires":        {"ttlSecondsAfterFinished: 0", 0},
		"does not":       {"parallelism: 1", 1},
		"is to no more":  {"ttlSecondsAfterFinished: null", 1},
		"has no content": {"", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := newFake()
				job := []string{"{apiVersion: batch/v1, kind: Job, metadata: {namespace: ns, name: j}, spec: {" + test.spec + "}}"}
				opts := Options{OnEvent: func(r EventReport) {
					target.mu.Lock()
					defer target.mu.Unlock()
					for at := range target.objects {
						if at.resource.Resource == "jobs" {
							target.removeAll(at)
						}
					}
				}}
				report, _, err := replayed(t, target, opts, Plan{}, event(t, 0, job, nil), event(t, 5, nil, job))
				if err != nil || report.ProblemCounts[AbsentOnDelete] != test.absent {
					t.Errorf("got %v and the problems %+v, want %d objects absent", err, report.Problems, test.absent)
				}
			})
		})
	}
}
