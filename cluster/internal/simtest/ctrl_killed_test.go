package simtest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/util/wait"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/testkubelet"
)

// TestCtrlKilled has sk-ctrl killed after each of its steps, and started anew.
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
	died, err := os.ReadFile(deaths)
	if err != nil {
		t.Fatal(err)
	}
	steps := strings.Fields(string(died))
	t.Logf("killed after %s", strings.Join(steps, ", "))
	for _, step := range []string{"finalizer", "turn", "preStartHooks", "metaroot", "certificate", "webhook", "job", "wait", "stop", "cleanUp", "remove", "postStopHooks", "finish"} {
		if !slices.Contains(steps, step) {
			t.Errorf("it was not killed after step %s", step)
		}
	}
}

// replaceCtrl has sk-ctrl be another program until the test ends.
func replaceCtrl(t *testing.T, program ...string) {
	t.Helper()
	t.Cleanup(func() {
		env.kubelet.SetImage(ctrlImage, filepath.Join(env.programs, "sk-ctrl"))
		endCtrl(t)
	})
	env.kubelet.SetImage(ctrlImage, program...)
	endCtrl(t)
}

// endCtrl ends sk-ctrl and waits until the kubelet has started it anew.
func endCtrl(t *testing.T) {
	t.Helper()
	before := ctrl()
	for _, process := range before {
		if err := syscall.Kill(process.PID, syscall.SIGTERM); err != nil && err != syscall.ESRCH { //nolint:errorlint // a plain number
			t.Error(err)
		}
	}
	ctx := context.WithoutCancel(t.Context())
	err := wait.PollUntilContextTimeout(ctx, pollPeriod, patience, true, func(context.Context) (bool, error) {
		now := ctrl()
		return len(now) == 1 && !slices.Contains(before, now[0]), nil
	})
	if err != nil {
		t.Errorf("wait until sk-ctrl is started anew: %v", err)
	}
	if err := waitForCtrl(ctx); err != nil {
		t.Error(err)
	}
}

// ctrl is the process of sk-ctrl.
func ctrl() []testkubelet.Process {
	return slices.DeleteFunc(env.kubelet.Processes(), func(p testkubelet.Process) bool { return !strings.HasPrefix(p.Pod, "sk-ctrl-") })
}
