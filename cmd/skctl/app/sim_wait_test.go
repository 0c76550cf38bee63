package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
)

// course returns the states of a simulation of two runs.
func course(t *testing.T) []*simkubev1.Simulation {
	t.Helper()
	const driver = `traceStart: "2025-01-01T00:00:00Z", traceEnd: "2025-01-01T10:00:00Z", eventsTotal: 1000`
	var out []*simkubev1.Simulation
	for _, status := range []string{
		``,
		`{state: Blocked, conditions: [{type: Ready, status: "False", reason: WaitsForTurn, message: "simulation monday runs", lastTransitionTime: null}]}`,
		`{state: Initializing, hooks: [{phase: PreStart, index: 0, state: Started}]}`,
		`{state: Initializing, hooks: [{phase: PreStart, index: 0, state: Succeeded}]}`,
		`{state: Running, driver: {phase: Replaying, run: 1, events: 10, traceTime: "2025-01-01T00:10:00Z", ` + driver + `}}`,
		`{state: Running, driver: {phase: Replaying, run: 1, events: 20, traceTime: "2025-01-01T00:20:00Z", ` + driver + `}}`,
		`{state: Running, driver: {phase: Replaying, run: 1, events: 400, problems: 1, traceTime: "2025-01-01T05:00:00Z", ` + driver + `}}`,
		`{state: Paused, driver: {phase: Replaying, paused: true, run: 1, events: 400, problems: 1, traceTime: "2025-01-01T05:00:00Z", ` + driver + `}}`,
		`{state: Running, driver: {phase: Settling, run: 1, ` + driver + `}}`,
		`{state: Running, driver: {phase: Reporting, run: 2, hooks: [{phase: PostRun, index: 1, run: 2, state: Failed, exitCode: 3, message: no disk}], ` + driver + `}}`,
		`{state: Finished, completedRuns: 2, startTime: "2025-03-01T12:00:00Z", endTime: "2025-03-01T13:30:00Z", driver: {phase: Finished, summaries: [
		  {run: 1, events: 1000, applied: 1200, deleted: 30, problems: 1, deviations: 4, pods: 3000, scheduled: 2999, pendingP50: 20ms, pendingP99: 1.5s, pendingMax: 2m, lagMax: 3.0004ms, results: "s3://bucket/run-1"},
		  {run: 2, events: 1000, deviations: 0}]}}`,
	} {
		out = append(out, simulated(t, "friday", "spec: {repetitions: 2}\nstatus: "+status))
	}
	return out
}

const courseShown = `Pending: sk-ctrl has not processed it yet; check that it is running
Blocked: WaitsForTurn: simulation monday runs
hook preStartHooks[0]: Started
Initializing
hook preStartHooks[0]: Succeeded
Running, run 1 of 2, replaying, 1%, trace 2025-01-01 00:10:00, 10 of 1,000 events
Running, run 1 of 2, replaying, 50%, trace 2025-01-01 05:00:00, 400 of 1,000 events, 1 problem
Paused, run 1 of 2, replaying, 50%, trace 2025-01-01 05:00:00, 400 of 1,000 events, 1 problem
Running, run 1 of 2, settling
hook postRunHooks[1] of run 2: Failed (exit code 3): no disk
Running, run 2 of 2, reporting
Finished
`

const courseSummary = `simulation friday: Finished, 2 of 2 runs in 1h30m0s
RUN   EVENTS   APPLIED   DELETED   PROBLEMS   DEVIATIONS   PODS    SCHEDULED   PENDING P50   P99    MAX    LAG MAX   RESULTS
1     1,000    1,200     30        1          4            3,000   2,999       20ms          1.5s   2m0s   3ms       s3://bucket/run-1
2     1,000    0         0         0          0            0       0           -             -      -      -         -
replayed with deviations in 1 of 2 repetitions
`

// With --watch, run shows a simulation until it has ended.
func TestRun_Run_Watch(t *testing.T) {
	server := newAPIServer(t)
	steps := course(t)
	server.have(steps[0])
	server.handle("POST "+simulationsPath, func(w http.ResponseWriter, _ *http.Request) { answer(w, steps[0]) })
	var events []metav1.WatchEvent
	for _, step := range steps[1:] {
		events = append(events, changed("MODIFIED", step))
	}
	server.watched(events...)
	code, stdout, stderr := run(t, "run", "friday", "-N", "2", "--disable-metrics", "--watch", "--kubeconfig", server.kubeconfig)
	if diff := cmp.Diff("simulation friday created\n"+courseShown, stderr); diff != "" || code != exitDone {
		t.Errorf("exit code %d, standard error (-want +got):\n%s", code, diff)
	}
	if diff := cmp.Diff(courseSummary, stdout); diff != "" {
		t.Errorf("standard output (-want +got):\n%s", diff)
	}
}

func TestSimulations_Wait(t *testing.T) {
	const failed = `status: {state: Failed, driver: {summaries: [{run: 1}]}, conditions: [{type: Failed, status: "True", reason: TraceEmpty, message: "s3://b/k has no events: record it again", lastTransitionTime: null}]}`
	recorded := func(deviations string) string {
		return "status: {state: Finished, driver: {summaries: [{run: 1, deviations: " + deviations + "}]}}"
	}
	for name, tc := range map[string]struct {
		args   []string
		sim    string
		change string
		code   int
		stderr string
	}{
		"finished":                 {nil, "status: {state: Running}", "status: {state: Finished}", exitDone, "Running\nFinished\n"},
		"running":                  {[]string{"--for", "running"}, "status: {state: Initializing}", "status: {state: Running}", exitDone, "Initializing\nRunning\n"},
		"running, and it has run":  {[]string{"--for", "running"}, "status: {state: Finished}", "", exitDone, "Finished\n"},
		"paused":                   {[]string{"--for", "paused"}, "status: {state: Running}", "status: {state: Paused}", exitDone, "Running\nPaused\n"},
		"paused, but it has ended": {[]string{"--for", "paused"}, "status: {state: Finished}", "", exitFailed, "Finished\nskctl: wait for simulation friday to be paused: it has finished\n"},
		"failed":                   {nil, failed, "", exitFailed, "Failed\nskctl: simulation friday failed: TraceEmpty: s3://b/k has no events: record it again\n"},
		"failed before it ran":     {[]string{"--for", "running"}, failed, "", exitFailed, "Failed\nskctl: simulation friday failed: TraceEmpty: s3://b/k has no events: record it again\n"},
		"failed, says the driver": {
			nil, "status: {state: Failed, driver: {reason: ApplyFailed, message: no such kind}}", "", exitFailed,
			"Failed\nskctl: simulation friday failed: ApplyFailed: no such kind\n",
		},
		"strict, as recorded": {[]string{"--strict"}, recorded("0"), "", exitDone, "Finished\n"},
		"strict, with deviations": {
			[]string{"--strict"},
			recorded("3"), "", exitDeviations,
			"Finished\nskctl: simulation friday: replayed with 3 deviations: not as recorded\n",
		},
		"strict, not counted": {[]string{"--strict"}, recorded("null"), "", exitFailed, "Finished\nskctl: simulation friday: its driver did not count deviations\n"},
		"deviations":          {nil, recorded("3"), "", exitDone, "Finished\n"},
		"strict, but it failed": {
			[]string{"--strict"},
			failed, "", exitFailed,
			"Failed\nskctl: simulation friday failed: TraceEmpty: s3://b/k has no events: record it again\n",
		},
		"strict, and not to its end": {
			[]string{"--strict", "--for", "running"},
			"", "", exitUsage,
			"skctl: invalid --strict with --for running: only a finished simulation has deviations\n  hint: see skctl wait --help\n",
		},
		"deleted": {nil, "status: {state: Running}", "-", exitFailed, "Running\nskctl: watch simulation friday: it was deleted\n"},
		"usage": {
			[]string{"--for", "ever", "--timeout", "5"},
			"", "", exitUsage,
			"skctl: invalid --for \"ever\": must be finished, running or paused\n" +
				"skctl: invalid --timeout: not a duration: \"5\" has no unit after 5 (accepted: 90s, 5m, +5m, 1h30m, 2d, 250ms)\n  hint: see skctl wait --help\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			sim := simulated(t, "friday", tc.sim)
			server.have(sim)
			switch tc.change {
			case "":
				server.watched()
			case "-":
				server.watched(changed("DELETED", sim))
			default:
				server.watched(changed("MODIFIED", simulated(t, "friday", tc.change)))
			}
			code, _, stderr := run(t, append([]string{"wait", "friday", "--kubeconfig", server.kubeconfig}, tc.args...)...)
			if diff := cmp.Diff(tc.stderr, stderr); diff != "" || code != tc.code {
				t.Errorf("exit code %d, want %d, standard error (-want +got):\n%s", code, tc.code, diff)
			}
		})
	}
}

// A wait ends before or after the first response.
func TestSimulations_Wait_Timeout(t *testing.T) {
	server := newAPIServer(t)
	server.have(simulated(t, "friday", "status: {state: Running}"))
	server.watched()
	code, stdout, stderr := run(t, "wait", "friday", "--timeout", "1ms", "--kubeconfig", server.kubeconfig)
	want := regexp.MustCompile(`skctl: wait for simulation friday to be finished: timeout after 1ms; it is .*\n  hint: it continues; to wait again, run skctl wait friday\n$`)
	if code != exitFailed || stdout != "" || !want.MatchString(stderr) {
		t.Errorf("exit code %d, standard output %q, standard error %q", code, stdout, stderr)
	}
}

// An interrupt ends the watch and not the simulation.
func TestSimulations_Wait_Interrupted(t *testing.T) {
	server := newAPIServer(t)
	server.have(simulated(t, "friday", "status: {state: Running}"))
	interrupts := make(chan os.Signal, 1)
	server.handle("WATCH "+simulationsPath, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		interrupts <- os.Interrupt
		<-r.Context().Done()
	})
	var out, errs bytes.Buffer
	code := Run(t.Context(), Streams{Out: &out, Err: &errs, Interrupts: interrupts}, "v1.2.3", []string{"skctl", "wait", "friday", "--kubeconfig", server.kubeconfig})
	want := `Running
skctl: interrupted: simulation friday continues
  hint: to follow it again, run skctl wait friday
  hint: to see its driver's log, run skctl logs -f friday
  hint: to delete it, run skctl delete friday
`
	if diff := cmp.Diff(want, errs.String()); diff != "" || code != exitInterrupted || out.Len() > 0 {
		t.Errorf("exit code %d, standard output %q, standard error (-want +got):\n%s", code, out.String(), diff)
	}
	if requests := server.made("DELETE"); len(requests) > 0 {
		t.Errorf("requests are %q", requests)
	}
}

// impatientClock does not wait.
type impatientClock struct{ clock.Clock }

func (impatientClock) After(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

// A watch that breaks is restarted if the error is temporary.
func TestFollower(t *testing.T) {
	unavailable := refuse(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "come back")
	forbidden := refuse(http.StatusForbidden, metav1.StatusReasonForbidden, "no")
	expired := metav1.WatchEvent{Type: "ERROR"}
	expired.Object.Raw = []byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,"message":"too old"}`)
	for name, tc := range map[string]struct {
		// lists and watches are the first responses; nil means the usual one.
		lists, watches []http.HandlerFunc
		uid            types.UID
		want           string
		notes          string
	}{
		"nothing breaks":         {nil, nil, "", "Running Finished", ""},
		"watch refused once":     {nil, []http.HandlerFunc{unavailable}, "", "Running Running Finished", "watch simulation friday: come back; retrying\n"},
		"watch ends at once":     {nil, []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {}}, "", "Running Running Finished", ""},
		"watch too old":          {nil, []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) { answer(w, expired) }}, "", "Running Running Finished", ""},
		"nobody there for long":  {[]http.HandlerFunc{nil, unavailable, unavailable}, []http.HandlerFunc{unavailable}, "", "Running Running Finished", strings.Repeat("watch simulation friday: come back; retrying\n", 3)},
		"never there":            {[]http.HandlerFunc{unavailable}, nil, "", "error: watch simulation friday: come back", ""},
		"may not watch":          {nil, []http.HandlerFunc{forbidden}, "", "Running error: watch simulation friday: no", ""},
		"gone meanwhile":         {[]http.HandlerFunc{nil, func(w http.ResponseWriter, r *http.Request) { answer(w, listOf(r)) }}, []http.HandlerFunc{unavailable}, "", "Running gone", "watch simulation friday: come back; retrying\n"},
		"another of the name":    {nil, nil, "another", "gone", ""},
		"gone before it is seen": {[]http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) { answer(w, listOf(r)) }}, nil, "another", "gone", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newAPIServer(t)
			running, finished := simulated(t, "friday", "status: {state: Running}"), simulated(t, "friday", "status: {state: Finished}")
			script := func(first []http.HandlerFunc, then http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					handler := then
					if len(first) > 0 {
						if first[0] != nil {
							handler = first[0]
						}
						first = first[1:]
					}
					handler(w, r)
				}
			}
			server.handle("GET "+simulationsPath, script(tc.lists, func(w http.ResponseWriter, r *http.Request) { answer(w, listOf(r, running)) }))
			server.handle("WATCH "+simulationsPath, script(tc.watches, func(w http.ResponseWriter, _ *http.Request) { answer(w, changed("MODIFIED", finished)) }))
			p := &program{name: "skctl"}
			kube := newKubeFlags()
			kube.KubeConfig = &server.kubeconfig
			sims, err := p.connectSimulations(kube)
			if err != nil {
				t.Fatal(err)
			}
			defer sims.close()
			sims.clock = impatientClock{clock.RealClock{}}
			var got []string
			var notes bytes.Buffer
			follow := follower{sims: sims, name: "friday", uid: tc.uid, notes: &notes, see: func(sim *simkubev1.Simulation) (bool, error) {
				got = append(got, string(sim.Status.State))
				return isOver(sim), nil
			}}
			switch err := follow.run(context.Background()); {
			case errors.Is(err, errGone):
				got = append(got, "gone")
			case err != nil:
				got = append(got, fmt.Sprintf("error: %v", err))
			}
			if text := strings.Join(got, " "); text != tc.want || notes.String() != tc.notes {
				t.Errorf("saw %q, want %q; notes are %q, want %q", text, tc.want, notes.String(), tc.notes)
			}
		})
	}
}
