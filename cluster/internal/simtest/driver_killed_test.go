package simtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/hooks"
)

const (
	killsVariable = "SIMKUBE_KILLS"
	seedVariable  = "SIMKUBE_SEED"
	// A Job restarts its pod six times at most.
	killsOfOne = 5
	// longestLife is about how long a driver of the example runs if it is not killed.
	longestLife = 4*time.Minute/concurrentSpeed + 2*time.Second
)

// Drivers are killed at random times. The simulation must have the same result, and hooks must not
// run twice.
func TestDriverKilled(t *testing.T) {
	concurrently(t)
	kills, seed := number(t, killsVariable, killsOfOne), uint64(number(t, seedVariable, rand.Int()))
	t.Logf("%s=%d %s=%d", killsVariable, kills, seedVariable, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for round := 1; kills > 0; round++ {
		few := min(kills, killsOfOne)
		kills -= few
		t.Run(strconv.Itoa(round), func(t *testing.T) { killDriver(t, few, random) })
	}
}

func killDriver(t *testing.T, kills int, random *rand.Rand) {
	ran := newDiary(t)
	sim := simulation(t, func(sim *simkubev1.Simulation) {
		sim.Spec.Hooks = &simkubev1.SimulationHooks{
			PreRunHooks: []simkubev1.SimulationHook{ran.hook("preRun")}, PostRunHooks: []simkubev1.SimulationHook{ran.hook("postRun")},
		}
	})
	start(t, sim)
	await(t, sim, "replaying", replays(1))
	killed := 0
	for ; killed < kills; killed++ {
		after := time.Duration(random.Int64N(int64(longestLife) / int64(kills)))
		if !kill(t, sim, after) {
			break
		}
	}
	done := await(t, sim, "at its end", func(s *simkubev1.SimulationStatus) bool {
		return s.State == simkubev1.SimulationFinished || s.State == simkubev1.SimulationFailed
	})
	if driver := done.Status.Driver; done.Status.State == simkubev1.SimulationFailed && strings.Contains(driver.Message, hooks.ErrInterrupted.Error()) {
		t.Skipf("the driver was killed within a hook, which seldom happens and fails a simulation: %s", driver.Message)
	}
	if done.Status.State != simkubev1.SimulationFinished {
		t.Fatalf("it has failed: %+v", done.Status)
	}
	t.Logf("killed %d times; the driver reports %d restarts", killed, done.Status.Driver.Restarts)
	// A driver that is killed before it can report the restart is not counted.
	if restarts := done.Status.Driver.Restarts; restarts < 1 || restarts > int32(killed) {
		t.Errorf("the driver was killed %d times and reports %d restarts", killed, restarts)
	}
	checkFinished(t, done, 1)
	if got, want := ran.read(t), "preRun postRun"; got != want {
		t.Errorf("hooks ran: %s; want %s", got, want)
	}
}

// kill kills the driver some time after it was started, and reports whether there was one.
func kill(t *testing.T, sim *simkubev1.Simulation, after time.Duration) bool {
	t.Helper()
	found := false
	err := wait.PollUntilContextTimeout(t.Context(), pollPeriod, waitTime, true, func(ctx context.Context) (bool, error) {
		if found = len(drivers(sim)) > 0; found {
			return true, nil
		}
		return isOver(ctx, sim)
	})
	if err != nil {
		t.Fatalf("wait for a driver: %v", err)
	}
	if !found {
		return false
	}
	time.Sleep(after)
	living := drivers(sim)
	for _, process := range living {
		t.Logf("kill %s %s after it was seen", process.Pod, after)
		if err := syscall.Kill(process.PID, syscall.SIGKILL); err != nil {
			t.Log(err)
		}
	}
	// Wait until the kubelet knows: it must not be killed twice.
	for len(living) > 0 && len(drivers(sim)) > 0 && drivers(sim)[0] == living[0] {
		time.Sleep(pollPeriod)
	}
	return len(living) > 0
}

// isOver reports whether the driver has completed.
func isOver(ctx context.Context, sim *simkubev1.Simulation) (bool, error) {
	last := sim.DeepCopy()
	if err := env.client.Get(ctx, clientKey(sim), last); err != nil {
		return false, err
	}
	driver := last.Status.Driver
	return driver != nil && (driver.Phase == simkubev1.DriverFinished || driver.Phase == simkubev1.DriverFailed), nil
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatal(fmt.Errorf("invalid %s %q: must be a number", variable, text))
	}
	return n
}
