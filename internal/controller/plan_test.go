package controller

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
		"failed":            {simulationIn("Failed", hasFailed), planRelease, "releaseLease", "removeFinalizer"},
		"finished":          {simulationIn("Finished", hasDone), planRelease, "releaseLease", "removeFinalizer"},
		"deleted":           {deleted(simulationIn("Running"), Finalizer), planDelete, "stop", "removeFinalizer"},
		"deleted, failing":  {deleted(simulationIn("Running", hasFailed), "other", Finalizer), planDelete, "stop", "removeFinalizer"},
		"deleted after all": {deleted(simulationIn("Finished"), Finalizer), planRelease, "releaseLease", "removeFinalizer"},
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

// The order of the steps makes sure that no simulated pod escapes and that simulations do not
// interfere: the webhook comes before the driver, and is removed after the driver and everything
// simulated are gone.
func TestPlan_Order(t *testing.T) {
	deleted := simulationIn("Running")
	deleted.DeletionTimestamp = &metav1.Time{}
	for name, tc := range map[string]struct {
		sim   *simkubev1.Simulation
		order []string
	}{
		planSetUp: {
			simulationIn(""),
			[]string{"finalizer", "turn", "holdLease", "limits", "preStartHooks", "checks", "metaroot", "service", "certificate", "webhook", "job", "wait"},
		},
		planEnd: {
			simulationIn("Running", metav1.Condition{Type: simkubev1.ConditionComplete, Status: metav1.ConditionFalse}),
			[]string{"stop", "cleanUp", "remove", "postStopHooks", "finish"},
		},
		planRelease: {simulationIn("Finished"), []string{"releaseLease", "removeFinalizer"}},
		planDelete:  {deleted, []string{"stop", "cleanUp", "remove", "postStopHooks", "releaseLease", "removeFinalizer"}},
	} {
		got, steps := plan(tc.sim)
		if got != name {
			t.Errorf("got plan %q, want %q", got, name)
		}
		last := -1
		for _, wanted := range tc.order {
			at := slices.IndexFunc(steps, func(s step) bool { return s.name == wanted })
			if at <= last {
				t.Errorf("%s: step %s is at %d, and the one before it at %d", name, wanted, at, last)
			}
			last = at
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
		"not allowed":     {simulationIn("Initializing", metav1.Condition{Type: simkubev1.ConditionFailed, Status: metav1.ConditionTrue, Reason: reasonImageForbidden}), false},
		"failed later":    {simulationIn("Initializing", metav1.Condition{Type: simkubev1.ConditionFailed, Status: metav1.ConditionTrue, Reason: reasonInvalid}), true},
	} {
		if got := hasBegun(tc.sim); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
