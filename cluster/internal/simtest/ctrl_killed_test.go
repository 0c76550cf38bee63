package simtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/testkubelet"
)

// sk-ctrl may be killed after each of its steps, and is restarted.
func TestCtrlKilled(t *testing.T) {
	leavesNothing(t)
	deaths := filepath.Join(t.TempDir(), "deaths")
	replaceCtrl(t, "env", roleVariable+"="+roleMortal, deathsVariable+"="+deaths, os.Args[0])
	hooks := newDiary(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Hooks = &simkubev1.SimulationHooks{
			PreStartHooks: []simkubev1.SimulationHook{hooks.hook("preStart")}, PreRunHooks: []simkubev1.SimulationHook{hooks.hook("preRun")},
			PostRunHooks: []simkubev1.SimulationHook{hooks.hook("postRun")}, PostStopHooks: []simkubev1.SimulationHook{hooks.hook("postStop")},
		}
	})
	start(t, sim)
	checkFinished(t, await(t, sim, "Finished", isState(simkubev1.SimulationFinished)), 1)
	if got, want := hooks.read(t), "preStart preRun postRun postStop"; got != want {
		t.Errorf("hooks ran: %s; want %s", got, want)
	}
	wantDeaths(t, deaths, "finalizer", "turn", "holdLease", "limits", "preStartHooks", "checks", "metaroot", "service", "certificate", "webhook", "job", "wait",
		"stop", "cleanUp", "remove", "postStopHooks", "finish", "releaseLease", "removeFinalizer")
}

// sk-ctrl may be killed after each write, before it receives the response. It is then unknown
// whether a hook that was started has run: it does not run again, and the simulation, which has
// done everything else, reports that.
func TestCtrlKilled_Writes(t *testing.T) {
	leavesNothing(t)
	deaths := filepath.Join(t.TempDir(), "deaths")
	replaceCtrl(t, "env", roleVariable+"="+roleFrail, deathsVariable+"="+deaths, os.Args[0])
	hooks := newDiary(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Hooks = &simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{hooks.hook("postStop")}}
	})
	start(t, sim)
	done := await(t, sim, "at its end", func(s *simkubev1.SimulationStatus) bool {
		return s.State == simkubev1.SimulationFinished || s.State == simkubev1.SimulationFailed
	})
	died, err := os.ReadFile(deaths)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("sk-ctrl was killed after\n%s", died)
	for _, kind := range []string{"simulationroots", "services", "secrets", "mutatingwebhookconfigurations", "jobs", "simulations", "leases"} {
		if !strings.Contains(string(died), "/"+kind) {
			t.Errorf("it was not killed after a write to %s", kind)
		}
	}
	checkReplayed(t, done, 1)
	switch _, err := os.Stat(string(hooks)); {
	case done.Status.State == simkubev1.SimulationFinished:
		if got, want := hooks.read(t), "postStop"; got != want {
			t.Errorf("hooks ran: %s; want %s", got, want)
		}
	case !meta.IsStatusConditionTrue(done.Status.Conditions, simkubev1.ConditionFailed) || len(done.Status.Hooks) != 1 || done.Status.Hooks[0].State != simkubev1.HookFailed:
		t.Errorf("it has failed: %+v", done.Status)
	case err == nil && hooks.read(t) != "postStop":
		t.Errorf("hooks ran: %s; want them once at most", hooks.read(t))
	}
}

// The same while a running simulation is deleted.
func TestCtrlKilled_Deletion(t *testing.T) {
	leavesNothing(t)
	deaths := filepath.Join(t.TempDir(), "deaths")
	hooks := newDiary(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Hooks = &simkubev1.SimulationHooks{PostStopHooks: []simkubev1.SimulationHook{hooks.hook("postStop")}}
	})
	start(t, sim)
	await(t, sim, "replaying", replays(1))
	replaceCtrl(t, "env", roleVariable+"="+roleMortal, deathsVariable+"="+deaths, os.Args[0])
	if err := env.client.Delete(t.Context(), sim); err != nil {
		t.Fatal(err)
	}
	wantDeaths(t, deaths, "stop", "cleanUp", "remove", "postStopHooks", "releaseLease", "removeFinalizer")
	if got, want := hooks.read(t), "postStop"; got != want {
		t.Errorf("hooks ran: %s; want %s", got, want)
	}
}

// wantDeaths waits until sk-ctrl was killed after all of the steps.
func wantDeaths(t *testing.T, deaths string, steps ...string) {
	t.Helper()
	var died, missing []string
	err := wait.PollUntilContextTimeout(t.Context(), pollPeriod, waitTime, true, func(context.Context) (bool, error) {
		text, err := os.ReadFile(deaths)
		if err != nil && !os.IsNotExist(err) {
			return false, err
		}
		died = strings.Fields(string(text))
		missing = slices.DeleteFunc(slices.Clone(steps), func(step string) bool { return slices.Contains(died, step) })
		return len(missing) == 0, nil
	})
	if err != nil {
		t.Errorf("sk-ctrl was killed after the steps %v, but not after %v: %v", died, missing, err)
	}
}

// replaceCtrl replaces the program of sk-ctrl until the test ends.
func replaceCtrl(t *testing.T, program ...string) {
	t.Helper()
	t.Cleanup(func() {
		env.kubelet.SetImage(ctrlImage, filepath.Join(env.programs, "sk-ctrl"))
		endCtrl(t)
	})
	env.kubelet.SetImage(ctrlImage, program...)
	endCtrl(t)
}

// endCtrl ends sk-ctrl and waits until the kubelet has restarted it.
func endCtrl(t *testing.T) {
	t.Helper()
	before := ctrl()
	for _, process := range before {
		if err := syscall.Kill(process.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	}
	ctx := context.WithoutCancel(t.Context())
	err := wait.PollUntilContextTimeout(ctx, pollPeriod, waitTime, true, func(context.Context) (bool, error) {
		now := ctrl()
		return len(now) == 1 && !slices.Contains(before, now[0]), nil
	})
	if err != nil {
		t.Errorf("wait until sk-ctrl is restarted: %v", err)
	}
	if err := waitForCtrl(ctx); err != nil {
		t.Error(err)
	}
}

// ctrl returns the process of sk-ctrl.
func ctrl() []testkubelet.Process {
	return slices.DeleteFunc(env.kubelet.Processes(), func(p testkubelet.Process) bool { return !strings.HasPrefix(p.Pod, "sk-ctrl-") })
}
