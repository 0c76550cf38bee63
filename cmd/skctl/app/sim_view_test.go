package app

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Headlines describe the state.
func TestHeadline(t *testing.T) {
	condition := func(kind, status, reason string) string {
		return fmt.Sprintf("{type: %s, status: %q, reason: %s, message: %s does., lastTransitionTime: null}", kind, status, reason, reason)
	}
	for name, tc := range map[string]struct{ sim, want string }{
		"new":               {"", "Pending: sk-ctrl has not processed it yet; check that it is running"},
		"waits":             {"status: {state: Blocked, conditions: [" + condition("Ready", "False", "Blocked") + "]}", "Blocked: Blocked does."},
		"lacks something":   {"status: {state: Initializing, conditions: [" + condition("Ready", "False", "SecretMissing") + "]}", "Initializing: SecretMissing: SecretMissing does."},
		"runs":              {"status: {state: Running, driver: {phase: Replaying}, conditions: [" + condition("Ready", "True", "Replaying") + "]}", "Running, replaying"},
		"one of several":    {"spec: {repetitions: 2}\nstatus: {state: Running, driver: {phase: Replaying, run: 1, restarts: 1}}", "Running, run 1 of 2, replaying, driver restarted 1 time"},
		"is done":           {"status: {state: Running, driver: {phase: Finished}, conditions: [" + condition("Ready", "False", "CleaningUp") + "]}", "Running: CleaningUp: CleaningUp does."},
		"has failed":        {"status: {state: Initializing, driver: {phase: Failed}, conditions: [" + condition("Ready", "False", "CleaningUp") + ", " + condition("Failed", "True", "TraceEmpty") + "]}", "Initializing: TraceEmpty: TraceEmpty does."},
		"failed and clean":  {"status: {state: Failed, driver: {phase: Failed}, conditions: [" + condition("Failed", "True", "TraceEmpty") + "]}", "Failed"},
		"finished":          {"status: {state: Finished, driver: {phase: Finished}, conditions: [" + condition("Ready", "False", "Finished") + "]}", "Finished"},
		"paused and waited": {"metadata: {deletionTimestamp: \"2025-03-01T12:30:00Z\"}\nstatus: {state: Paused, driver: {phase: Replaying}}", "Paused, replaying, being deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulated(t, "friday", tc.sim)
			if sim.Status == nil {
				sim.Status = &simkubev1.SimulationStatus{}
			}
			if got := headline(sim); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// On a terminal the last line is redrawn in place.
func TestSimView_Live(t *testing.T) {
	var out bytes.Buffer
	view := &simView{out: &out, live: true, width: func() int { return 57 }, step: -1}
	for _, sim := range course(t)[4:9] {
		view.show(sim)
	}
	view.close()
	const erase = "\r\x1b[K"
	want := "Running, run 1 of 2, replaying\n" +
		erase + "[....................] 1%, trace 2025-01-01 00:10:00, 10" +
		erase + "[....................] 3%, trace 2025-01-01 00:20:00, 20" +
		erase + "[##########..........] 50%, trace 2025-01-01 05:00:00, 4" +
		erase + "Paused, run 1 of 2, replaying\n" +
		erase + "[##########..........] 50%, trace 2025-01-01 05:00:00, 4" +
		erase + "Running, run 1 of 2, settling\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}
