package replaytest

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/trace"
)

// Of a CronJob that existed before the trace, Jobs were running when the trace began. Its own
// controller would start none of them, and, with concurrency policy Forbid, must know of them.
func TestRun_startedCronJobs(t *testing.T) {
	t.Parallel()
	owner := trace.PodOwner{Name: "default/tick"}
	owner.GVK.Group, owner.GVK.Version, owner.GVK.Kind = "batch", "v1", "CronJob"
	lifecycles := trace.Lifecycles{owner: {5: {
		{State: trace.Finished, Start: origin - 400, End: origin - 300},
		{State: trace.Finished, Start: origin - 130, End: origin + 500},
		{State: trace.Running, Start: origin - 70},
		{State: trace.Finished, Start: origin + 300, End: origin + 400},
	}}}
	for _, shared := range []bool{false, true} {
		name := "alone"
		if shared {
			name = "shared"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := "jobs-" + name
			owner.Name = trace.NamespacedName(namespace, "tick")
			lifecycles := trace.Lifecycles{owner: lifecycles[trace.PodOwner{GVK: owner.GVK, Name: "default/tick"}]}
			s := newSim(t, replay.Options{Shared: shared}, lifecycles)
			cron := `
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick, namespace: ` + namespace + `}
spec:
  schedule: "0 0 1 1 *"
  concurrencyPolicy: Forbid
  jobTemplate:
    metadata: {labels: {of: tick}}
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}
`
			plan := replay.Plan{Lifecycles: lifecycle.NewStore(lifecycles, nil)}
			checkProblems(t, s.run(t, plan, at(t, 0, cron), at(t, 1, replaced(cron, "of: tick", "of: tock"))))
			var jobs, active []string
			eventually(t, "the Jobs' pods", func(ctx context.Context) (bool, error) {
				list, err := env.client.BatchV1().Jobs(s.namespace(namespace)).List(ctx, metav1.ListOptions{LabelSelector: "of=tick"})
				jobs = nil
				for _, job := range list.Items {
					if job.Status.Active == 1 {
						jobs = append(jobs, job.Name+" "+job.OwnerReferences[0].Name)
					}
				}
				return len(jobs) == 2, err
			})
			cronJob, err := env.client.BatchV1().CronJobs(s.namespace(namespace)).Get(t.Context(), "tick", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, job := range cronJob.Status.Active {
				active = append(active, job.Name+" tick")
			}
			slices.Sort(active)
			slices.Sort(jobs)
			if diff := cmp.Diff(jobs, active); diff != "" {
				t.Errorf("active Jobs in the status (-Jobs +status):\n%s", diff)
			}
			pods, err := env.client.CoreV1().Pods(cronJob.Namespace).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(pods.Items) != 2 {
				t.Errorf("%d pods, want 2", len(pods.Items))
			}
			for _, pod := range pods.Items {
				if pod.Annotations[simkubev1.AnnotationPodSequenceNumber] == "" {
					t.Errorf("pod %s has no recorded lifecycle", pod.Name)
				}
			}
		})
	}
}
