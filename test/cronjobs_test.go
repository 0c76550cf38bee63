package test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/trace"
)

// hoursVariable is how many hours of the example day TestCronJobs replays, from midnight.
const hoursVariable = "SIMKUBE_TEST_HOURS"

// In the example day, every CronJob creates each run of its schedule in the right second, and no
// others.
func TestCronJobs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute, hours of virtual time")
	}
	hours := cmp.Or(os.Getenv(hoursVariable), "3")
	day, err := filepath.Abs("../examples/day.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t)
	s.skctl("simulate", day, "-o", "out", "-D", hours+"h", "--strict").check(t, done)
	run, err := results.Read(filepath.Join(s.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	got := checkCronRuns(t, day, run)
	// The runs at midnight, when the trace begins, were recorded.
	want := map[string]map[string]int{"3": {
		"storefront/cart-cleanup": 18,
		"storefront/sitemap":      1,
		"search/synonyms-sync":    3,
		"search/full-reindex":     1,
		"payments/reconcile":      3,
		"payments/settlement":     0,
		"identity/token-expiry":   12,
		"messaging/newsletter":    0,
		"logistics/stock-import":  6,
		"analytics/hourly-rollup": 3,
		"analytics/daily-report":  0,
		"platform/backup":         1,
	}, "24": {
		"storefront/cart-cleanup": 144,
		"storefront/sitemap":      4,
		"search/synonyms-sync":    24,
		"search/full-reindex":     1,
		"payments/reconcile":      24,
		"payments/settlement":     1,
		"identity/token-expiry":   96,
		"messaging/newsletter":    2,
		"logistics/stock-import":  48,
		"analytics/hourly-rollup": 24,
		"analytics/daily-report":  1,
		"platform/backup":         6,
	}}[hours]
	if want == nil {
		return // the schedules say how often they run
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("runs that are due (-want +got):\n%s", diff)
	}
	empty(t, s.tmp)
}

// beat returns a CronJob that runs every ten minutes, with additional fields in its spec.
func beat(tb testing.TB, name string, more map[string]any) trace.Object {
	spec := map[string]any{
		"schedule":          "*/10 * * * *",
		"timeZone":          "Etc/UTC",
		"concurrencyPolicy": "Forbid",
		"jobTemplate":       map[string]any{"spec": map[string]any{"template": map[string]any{"spec": podSpec("Never")}}},
	}
	for key, value := range more {
		spec[key] = value
	}
	return object(tb, cronJobKind, name, spec)
}

func TestCronRuns(t *testing.T) {
	// A whole hour, relative to which times are in minutes.
	const start = benchStart
	at := func(minute int64) int64 { return start + 60*minute }
	made := trace.Event{Time: at(0), Applied: []trace.Object{beat(t, "beat", nil)}}
	suspended := beat(t, "beat", map[string]any{"suspend": true})
	for name, tc := range map[string]struct {
		events []trace.Event
		want   string // minutes of the runs, with those of the schedule if they differ
	}{
		"not in the second it is made":  {[]trace.Event{made}, "10 20 30 40 50"},
		"in the second after":           {[]trace.Event{{Time: at(10) - 1, Applied: made.Applied}}, "10 20 30 40 50"},
		"none once deleted":             {[]trace.Event{made, {Time: at(30), Deleted: made.Applied}}, "10 20"},
		"created again":                 {[]trace.Event{made, {Time: at(15), Deleted: made.Applied}, {Time: at(40), Applied: made.Applied}}, "10 50"},
		"suspended":                     {[]trace.Event{made, {Time: at(15), Applied: []trace.Object{suspended}}}, "10"},
		"resumed, and makes up for one": {[]trace.Event{made, {Time: at(15), Applied: []trace.Object{suspended}}, {Time: at(44), Applied: made.Applied}}, "10 44=40 50"},
		"resumed after the deadline": {[]trace.Event{
			made,
			{Time: at(15), Applied: []trace.Object{suspended}},
			{Time: at(44), Applied: []trace.Object{beat(t, "beat", map[string]any{"startingDeadlineSeconds": int64(60)})}},
		}, "10 50"},
		"another schedule": {[]trace.Event{
			made,
			{Time: at(31), Applied: []trace.Object{beat(t, "beat", map[string]any{"schedule": "5,25,45 * * * *"})}},
		}, "10 20 30 45"},
		"another time zone": {[]trace.Event{
			{Time: at(0), Applied: []trace.Object{beat(t, "beat", map[string]any{"schedule": "0 6 * * *", "timeZone": "Asia/Kolkata"})}},
		}, "30"},
	} {
		t.Run(name, func(t *testing.T) {
			due, err := cronRuns(tc.events, nil, time.Unix(at(60), 0))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, run := range due[results.Owner{Namespace: "shop", Kind: "CronJob", Name: "beat"}] {
				got = append(got, minutes(t, run, start))
			}
			if got := strings.Join(got, " "); got != tc.want {
				t.Errorf("runs: got %s, want %s", got, tc.want)
			}
		})
	}
}

// The comparison detects every deviation of a replay.
func TestCronDifferences(t *testing.T) {
	owner := results.Owner{Namespace: "shop", Kind: "CronJob", Name: "beat"}
	first := time.Unix(benchStart+600, 0).UTC()
	var due []cronRun
	var right []results.Pod
	for i := range 4 {
		at := first.Add(time.Duration(i) * 10 * time.Minute)
		run := cronRun{job: jobAt("beat", at), at: at, first: 1, pods: 1, forbid: true}
		due = append(due, run)
		right = append(right, results.Pod{
			Name: run.job + "-x7k2p", OriginalNamespace: owner.Namespace, OwnerKind: owner.Kind, OwnerName: owner.Name,
			Created: at.Add(100 * time.Millisecond), Running: at.Add(time.Second), Finished: at.Add(time.Minute),
		})
	}
	end := first.Add(30 * time.Minute) // when the last run is due
	for name, tc := range map[string]struct {
		wrong func(pods []results.Pod) []results.Pod
		want  string
	}{
		"as it should be":    {func(pods []results.Pod) []results.Pod { return pods }, ""},
		"nothing of the end": {func(pods []results.Pod) []results.Pod { return pods[:3] }, ""},
		"missed":             {func(pods []results.Pod) []results.Pod { return slices.Delete(pods, 1, 2) }, "was missed"},
		"doubled":            {func(pods []results.Pod) []results.Pod { return append(pods, pods[1]) }, "created 2 pods instead of 1"},
		"a second late": {func(pods []results.Pod) []results.Pod {
			pods[1].Created = pods[1].Created.Add(time.Second)
			return pods
		}, "was created at"},
		"a second early": {func(pods []results.Pod) []results.Pod {
			pods[1].Created = pods[1].Created.Add(-time.Second)
			return pods
		}, "was created at"},
		"never ran":                 {func(pods []results.Pod) []results.Pod { pods[1].Running = time.Time{}; return pods }, "never ran"},
		"not over when the next is": {func(pods []results.Pod) []results.Pod { pods[1].Finished = time.Time{}; return pods }, "was not over"},
		"not due": {func(pods []results.Pod) []results.Pod {
			extra := pods[1]
			extra.Name = jobAt("beat", first.Add(time.Minute)) + "-x7k2p"
			return append(pods, extra)
		}, "was not due"},
		"of another CronJob": {func(pods []results.Pod) []results.Pod { pods[1].OwnerName = "heart"; return pods }, "was missed"},
	} {
		t.Run(name, func(t *testing.T) {
			got := cronDifferences(map[results.Owner][]cronRun{owner: due}, tc.wrong(slices.Clone(right)), end)
			switch {
			case tc.want == "" && len(got) > 0:
				t.Errorf("got %q, want none", got)
			case tc.want != "" && (len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), tc.want)):
				t.Errorf("got %q, want one that has %q", got, tc.want)
			}
		})
	}
}

func jobAt(cronJob string, at time.Time) string { return fmt.Sprintf("%s-%d", cronJob, at.Unix()/60) }

// minutes returns when a run is created, in minutes after start, and the minute of the schedule if
// that differs.
func minutes(t *testing.T, run cronRun, start int64) string {
	t.Helper()
	_, suffix, _ := strings.Cut(run.job, "-")
	due, err := strconv.ParseInt(suffix, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	made := (run.at.Unix() - start) / 60
	if due -= start / 60; due != made {
		return fmt.Sprintf("%d=%d", made, due)
	}
	return strconv.FormatInt(made, 10)
}
