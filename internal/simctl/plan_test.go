package simctl

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

func simulationIn(state simkubev1.SimulationState, conditions ...metav1.Condition) *simkubev1.Simulation {
	sim := &simkubev1.Simulation{ObjectMeta: metav1.ObjectMeta{Name: "demo", UID: "demo", Finalizers: []string{Finalizer}}}
	if state != "" {
		sim.Status = &simkubev1.SimulationStatus{State: state, Conditions: conditions}
	}
	return sim
}

func TestPlan(t *testing.T) {
	hasFailed := metav1.Condition{Type: simkubev1.ConditionFailed, Status: metav1.ConditionTrue}
	hasDone := metav1.Condition{Type: simkubev1.ConditionComplete, Status: metav1.ConditionFalse}
	deleted := func(sim *simkubev1.Simulation, finalizers ...string) *simkubev1.Simulation {
		sim.DeletionTimestamp, sim.Finalizers = &metav1.Time{}, finalizers
		return sim
	}
	for name, tc := range map[string]struct {
		sim         *simkubev1.Simulation
		want        string
		first, last string
	}{
		"new":               {simulationIn(""), planSetUp, "finalizer", "wait"},
		"running":           {simulationIn("Running"), planSetUp, "finalizer", "wait"},
		"failed, not clean": {simulationIn("Running", hasFailed), planEnd, "stop", "finish"},
		"done, not clean":   {simulationIn("Running", hasDone), planEnd, "stop", "finish"},
		"failed":            {simulationIn("Failed", hasFailed), planLetGo, "releaseLease", "removeFinalizer"},
		"finished":          {simulationIn("Finished", hasDone), planLetGo, "releaseLease", "removeFinalizer"},
		"deleted":           {deleted(simulationIn("Running"), Finalizer), planDelete, "stop", "removeFinalizer"},
		"deleted, failing":  {deleted(simulationIn("Running", hasFailed), "other", Finalizer), planDelete, "stop", "removeFinalizer"},
		"deleted after all": {deleted(simulationIn("Finished"), Finalizer), planLetGo, "releaseLease", "removeFinalizer"},
		"another's":         {deleted(simulationIn("Running"), "other"), planNothing, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, steps := plan(tc.sim)
			if got != tc.want {
				t.Fatalf("got plan %q, want %q", got, tc.want)
			}
			if len(steps) > 0 && (steps[0].name != tc.first || steps[len(steps)-1].name != tc.last) || len(steps) == 0 && tc.first != "" {
				t.Errorf("got steps %v, want %s to %s", steps, tc.first, tc.last)
			}
		})
	}
}

// TestPlan_Webhook guards the order on which it depends that no simulated pod escapes: a webhook before the driver, and
// no driver any more when it is removed.
func TestPlan_Webhook(t *testing.T) {
	at := func(name string) int {
		return slices.IndexFunc(everyStep(), func(s step) bool { return s.name == name })
	}
	for _, pair := range [][2]string{{"turn", "preStartHooks"}, {"certificate", "webhook"}, {"webhook", "job"}, {"stop", "cleanUp"}, {"cleanUp", "remove"}} {
		if before, after := at(pair[0]), at(pair[1]); before < 0 || after < 0 || before > after {
			t.Errorf("%s is not before %s", pair[0], pair[1])
		}
	}
}

func TestHasBegun(t *testing.T) {
	withHook := simulationIn("Initializing")
	withHook.Spec.Hooks = &simkubev1.SimulationHooks{PreStartHooks: []simkubev1.SimulationHook{{Cmd: "x"}}}
	begun := withHook.DeepCopy()
	begun.Status.Hooks = []simkubev1.HookRecord{{Phase: simkubev1.HookPreStart, State: simkubev1.HookStarted}}
	for name, tc := range map[string]struct {
		sim  *simkubev1.Simulation
		want bool
	}{
		"new":             {simulationIn(""), false},
		"blocked":         {simulationIn("Blocked"), false},
		"without hooks":   {simulationIn("Initializing"), true},
		"before its hook": {withHook, false},
		"in its hook":     {begun, true},
	} {
		if got := hasBegun(tc.sim); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
