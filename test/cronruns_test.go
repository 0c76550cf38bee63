package test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/trace"
)

var cronJobKind = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}

// cronRun is a run of a CronJob that is due.
type cronRun struct {
	// job is the name of its Job, which ends in the minute of the schedule.
	job string
	// at is when the controller has to create it: in the second of the schedule, but for runs that were missed.
	at time.Time
	// first is how many pods it starts with, pods how many it has in all if none fails.
	first, pods int
	// forbid tells that there must not be another run of the CronJob meanwhile.
	forbid bool
}

// cronRuns lists the runs that the CronJobs of a trace have to make before its replay ends, in the order of
// time. It is the CronJob controller in small, for whatever a trace can do to a CronJob.
func cronRuns(events []trace.Event, end time.Time) (map[results.Owner][]cronRun, error) {
	all := map[results.Owner]*cronState{}
	for i := range events {
		now := time.Unix(events[i].Time, 0).UTC()
		for j := range events[i].Deleted {
			if object := &events[i].Deleted[j]; object.GVK() == cronJobKind {
				state := all[ownerOf(object)]
				if state == nil {
					return nil, fmt.Errorf("%s is deleted before it is there", object.NamespacedName())
				}
				state.runUntil(now)
				state.exists = false
			}
		}
		for j := range events[i].Applied {
			object := &events[i].Applied[j]
			if object.GVK() != cronJobKind {
				continue
			}
			state := all[ownerOf(object)]
			if state == nil {
				state = &cronState{}
				all[ownerOf(object)] = state
			}
			if err := state.apply(now, object); err != nil {
				return nil, fmt.Errorf("%s at %s: %w", object.NamespacedName(), now, err)
			}
		}
	}
	out := make(map[results.Owner][]cronRun, len(all))
	for owner, state := range all {
		state.runUntil(end)
		out[owner] = state.runs
	}
	return out, nil
}

func ownerOf(o *trace.Object) results.Owner {
	return results.Owner{Namespace: o.Namespace(), Kind: o.GVK().Kind, Name: o.Name()}
}

// cronState is a CronJob at one instant of the trace.
type cronState struct {
	exists   bool
	object   batchv1.CronJob
	schedule cron.Schedule
	// last is the latest minute of the schedule that is not due any more: that of the last run. A CronJob that has
	// none counts from its creation, so that a run scheduled for that very second is not due.
	last time.Time
	runs []cronRun
}

// apply takes in the CronJob as it is from now on.
func (s *cronState) apply(now time.Time, object *trace.Object) error {
	u, err := object.Unstructured()
	if err != nil {
		return err
	}
	was := s.object
	s.runUntil(now)
	s.object = batchv1.CronJob{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &s.object); err != nil {
		return err
	}
	text := s.object.Spec.Schedule
	if zone := s.object.Spec.TimeZone; zone != nil {
		text = "TZ=" + *zone + " " + text
	}
	if s.schedule, err = cron.ParseStandard(text); err != nil {
		return err
	}
	if !s.exists {
		s.exists, s.last = true, now
		return nil
	}
	missed := s.missed(now)
	switch changed := was.Spec.Schedule != s.object.Spec.Schedule; {
	case s.suspended() || missed.IsZero():
	case s.tooLate(missed, now):
		s.last = missed
	case changed:
		// The controller leaves it at that until something else makes it look at the CronJob.
		return fmt.Errorf("by the new schedule it missed the run of %s, and when that is made up for is not modelled", missed)
	default:
		// Without a deadline, a CronJob that is resumed makes up for the latest run it has missed.
		s.run(missed, now)
	}
	return nil
}

func (s *cronState) suspended() bool {
	return s.object.Spec.Suspend != nil && *s.object.Spec.Suspend
}

// missed is the latest minute of the schedule that has no run yet, or zero.
func (s *cronState) missed(now time.Time) time.Time {
	var missed time.Time
	for due := s.schedule.Next(s.last); !due.After(now); due = s.schedule.Next(due) {
		missed = due
	}
	return missed
}

func (s *cronState) tooLate(due, now time.Time) bool {
	deadline := s.object.Spec.StartingDeadlineSeconds
	return deadline != nil && due.Add(time.Duration(*deadline)*time.Second).Before(now)
}

// runUntil makes the runs before an instant.
func (s *cronState) runUntil(end time.Time) {
	if !s.exists || s.suspended() {
		return
	}
	for due := s.schedule.Next(s.last); due.Before(end); due = s.schedule.Next(due) {
		s.run(due, due)
	}
}

func (s *cronState) run(due, at time.Time) {
	job := &s.object.Spec.JobTemplate.Spec
	parallel, pods := 1, 1
	if job.Parallelism != nil {
		parallel = int(*job.Parallelism)
		pods = parallel
	}
	if job.Completions != nil {
		pods = int(*job.Completions)
	}
	s.last = due
	s.runs = append(s.runs, cronRun{
		job:    fmt.Sprintf("%s-%d", s.object.Name, due.Unix()/60),
		at:     at.UTC(),
		first:  min(parallel, pods),
		pods:   pods,
		forbid: s.object.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent,
	})
}

// cronDifferences says in what the pods of a replay are not those of the runs that were due before end: one
// line for each run that was missed, doubled, not due, or not made in its second.
func cronDifferences(due map[results.Owner][]cronRun, pods []results.Pod, end time.Time) []string {
	made := map[results.Owner]map[string][]results.Pod{}
	for _, pod := range pods {
		owner := results.Owner{Namespace: pod.OriginalNamespace, Kind: pod.OwnerKind, Name: pod.OwnerName}
		if owner.Kind != cronJobKind.Kind || !pod.Created.Before(end) {
			continue
		}
		if made[owner] == nil {
			made[owner] = map[string][]results.Pod{}
		}
		job := pod.Name[:max(0, strings.LastIndexByte(pod.Name, '-'))]
		made[owner][job] = append(made[owner][job], pod)
	}
	var out []string
	for owner, runs := range due {
		var before *results.Pod
		for _, run := range runs {
			if !run.at.Before(end) {
				continue
			}
			pods := made[owner][run.job]
			delete(made[owner], run.job)
			out = append(out, run.differences(owner, pods, before)...)
			if before = nil; len(pods) > 0 {
				before = &pods[len(pods)-1]
			}
		}
	}
	for owner, jobs := range made {
		for _, job := range slices.Sorted(maps.Keys(jobs)) {
			out = append(out, fmt.Sprintf("%s: %s ran at %s and was not due", name(owner), job, jobs[job][0].Created))
		}
	}
	slices.Sort(out)
	return out
}

// differences compares a run with the pods of its Job; before is the last one of the run before it.
func (r cronRun) differences(owner results.Owner, pods []results.Pod, before *results.Pod) []string {
	what := fmt.Sprintf("%s: %s, due at %s", name(owner), r.job, r.at)
	if len(pods) == 0 {
		return []string{what + ", was missed"}
	}
	var out []string
	if len(pods) != r.pods {
		out = append(out, fmt.Sprintf("%s, made %d pods instead of %d", what, len(pods), r.pods))
	}
	slices.SortFunc(pods, func(a, b results.Pod) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) })
	for _, pod := range pods[:min(r.first, len(pods))] {
		if !pod.Created.Truncate(time.Second).Equal(r.at) {
			out = append(out, fmt.Sprintf("%s, was made at %s", what, pod.Created))
		}
		if pod.Running.IsZero() {
			out = append(out, what+", never ran")
		}
	}
	// Such a run would be put off, which the list of runs does not know.
	if r.forbid && before != nil && (before.Finished.IsZero() || before.Finished.After(r.at)) {
		out = append(out, fmt.Sprintf("%s: the run before it was not over, it finished at %s", what, before.Finished))
	}
	return out
}

func name(o results.Owner) string { return trace.NamespacedName(o.Namespace, o.Name) }

// checkCronRuns compares a replay with the schedules in its trace, and returns how many runs each
// CronJob made.
func checkCronRuns(tb testing.TB, file string, run *results.Run) map[string]int {
	tb.Helper()
	recording, err := trace.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	// A run is due a tenth of a second after its minute: of the last second, which may be cut off, nothing is asked.
	end := run.Summary.Run.WindowEnd.Truncate(time.Second)
	due, err := cronRuns(recording.Events, end)
	if err != nil {
		tb.Fatal(err)
	}
	for _, line := range cronDifferences(due, run.Pods, end) {
		tb.Error(line)
	}
	counts := make(map[string]int, len(due))
	for owner, runs := range due {
		counts[name(owner)] = len(runs)
	}
	return counts
}
