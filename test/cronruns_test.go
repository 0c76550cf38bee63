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
	// job is the name of its Job, which ends with the minute of the schedule.
	job string
	// at is when the controller must create it: in the second of the schedule, except for missed runs.
	at time.Time
	// first is the number of pods it starts with, pods the total number if none fails.
	first, pods int
	// forbid is set if there must be no other run of the CronJob at the same time.
	forbid bool
}

// cronRuns returns the runs that the CronJobs of a trace must create before its replay ends, in the
// order of time. It is a model of the CronJob controller that covers everything a trace can do to a
// CronJob. In the second in which the trace begins, runs are due if pods of them were recorded.
func cronRuns(events []trace.Event, lifecycles trace.Lifecycles, end time.Time) (map[results.Owner][]cronRun, error) {
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
			if i == 0 && state.schedule.Next(now.Add(-time.Second)).Equal(now) && recordedIn(lifecycles, object, now) {
				state.run(now, now)
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

// recordedIn reports whether a pod of an owner was recorded as started in a minute.
func recordedIn(lifecycles trace.Lifecycles, object *trace.Object, minute time.Time) bool {
	for _, list := range lifecycles[trace.PodOwner{GVK: object.GVK(), Name: object.NamespacedName()}] {
		for _, l := range list {
			if time.Unix(l.Start, 0).UTC().Truncate(time.Minute).Equal(minute) {
				return true
			}
		}
	}
	return false
}

func ownerOf(o *trace.Object) results.Owner {
	return results.Owner{Namespace: o.Namespace(), Kind: o.GVK().Kind, Name: o.Name()}
}

// cronState is the state of a CronJob at one time of the trace.
type cronState struct {
	exists   bool
	object   batchv1.CronJob
	schedule cron.Schedule
	// last is the latest minute of the schedule that is no longer due: that of the last run. Without a
	// run it is the creation time, so that a run scheduled for that second is not due.
	last time.Time
	runs []cronRun
}

// apply sets the CronJob's new state.
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
		// The controller does nothing until another event makes it look at the CronJob.
		return fmt.Errorf("by the new schedule it missed the run of %s, and the model does not say when that is made up for", missed)
	default:
		// Without a deadline, a resumed CronJob makes up for the latest run that it has missed.
		s.run(missed, now)
	}
	return nil
}

func (s *cronState) suspended() bool {
	return s.object.Spec.Suspend != nil && *s.object.Spec.Suspend
}

// missed returns the latest minute of the schedule that has no run yet, or zero.
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

// runUntil adds the runs before a time.
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

// cronDifferences compares the pods of a replay with the runs that were due before end. It returns
// a line for each run that was missed, doubled, not due, or created in another second.
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

// differences compares a run with the pods of its Job; before is the last pod of the run before.
func (r cronRun) differences(owner results.Owner, pods []results.Pod, before *results.Pod) []string {
	what := fmt.Sprintf("%s: %s, due at %s", name(owner), r.job, r.at)
	if len(pods) == 0 {
		return []string{what + ", was missed"}
	}
	var out []string
	if len(pods) != r.pods {
		out = append(out, fmt.Sprintf("%s, created %d pods instead of %d", what, len(pods), r.pods))
	}
	slices.SortFunc(pods, func(a, b results.Pod) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) })
	for _, pod := range pods[:min(r.first, len(pods))] {
		if !pod.Created.Truncate(time.Second).Equal(r.at) {
			out = append(out, fmt.Sprintf("%s, was created at %s", what, pod.Created))
		}
		if pod.Running.IsZero() {
			out = append(out, what+", never ran")
		}
	}
	// Such a run would be delayed, which the model does not cover.
	if r.forbid && before != nil && (before.Finished.IsZero() || before.Finished.After(r.at)) {
		out = append(out, fmt.Sprintf("%s: the run before it was not over, it finished at %s", what, before.Finished))
	}
	return out
}

func name(o results.Owner) string { return trace.NamespacedName(o.Namespace, o.Name) }

// checkCronRuns compares a replay with the schedules in its trace, and returns how many runs each
// CronJob created.
func checkCronRuns(tb testing.TB, file string, run *results.Run) map[string]int {
	tb.Helper()
	recording, err := trace.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	// A run is due a tenth of a second after its minute. The last second may be incomplete and is
	// ignored.
	end := run.Summary.Run.WindowEnd.Truncate(time.Second)
	due, err := cronRuns(recording.Events, recording.Lifecycles, end)
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
