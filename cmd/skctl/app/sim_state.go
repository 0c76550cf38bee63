package app

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/words"
)

// noState is shown as the state of a simulation that sk-ctrl has not processed yet.
const noState = "Pending"

// stateOf returns the state that is shown for a simulation.
func stateOf(sim *simkubev1.Simulation) string { return cmp.Or(string(sim.Status.State), noState) }

// isOver reports whether a simulation has ended, finished or failed.
func isOver(sim *simkubev1.Simulation) bool {
	return sim.Status.State == simkubev1.SimulationFinished || sim.Status.State == simkubev1.SimulationFailed
}

// stateReason returns why a simulation is in its state, or has failed although it is not cleaned up
// yet, as a reason and a message; both may be empty.
func stateReason(sim *simkubev1.Simulation) (reason, message string) {
	if failed := meta.FindStatusCondition(sim.Status.Conditions, simkubev1.ConditionFailed); failed != nil && failed.Status == metav1.ConditionTrue {
		return failed.Reason, failed.Message
	}
	ready := meta.FindStatusCondition(sim.Status.Conditions, simkubev1.ConditionReady)
	switch sim.Status.State {
	case simkubev1.SimulationFinished:
	case simkubev1.SimulationFailed:
		if driver := sim.Status.Driver; driver != nil {
			return driver.Reason, driver.Message
		}
	case "":
		return "NotTakenUp", "sk-ctrl has not processed it yet; check that it is running"
	case simkubev1.SimulationRunning:
		if ready != nil && ready.Status != metav1.ConditionTrue {
			return ready.Reason, ready.Message
		}
	default:
		if ready != nil {
			return ready.Reason, ready.Message
		}
	}
	return "", ""
}

// runs returns the numbers of completed and requested repetitions.
func runs(sim *simkubev1.Simulation) (done, total int32) {
	total = 1
	if sim.Spec.Repetitions != nil {
		total = *sim.Spec.Repetitions
	}
	return sim.Status.CompletedRuns, total
}

// share returns how much of the current repetition has been replayed, from 0 to 1; -1 if there is
// none.
func share(sim *simkubev1.Simulation) float64 {
	driver := sim.Status.Driver
	switch {
	case driver == nil || isOver(sim) || driver.Phase != simkubev1.DriverReplaying:
		return -1
	case driver.TraceTime != nil && driver.TraceStart != nil && driver.TraceEnd != nil && driver.TraceEnd.After(driver.TraceStart.Time):
		at, length := driver.TraceTime.Sub(driver.TraceStart.Time), driver.TraceEnd.Sub(driver.TraceStart.Time)
		return min(1, max(0, float64(at)/float64(length)))
	case driver.EventsTotal > 0:
		return min(1, float64(driver.Events)/float64(driver.EventsTotal))
	}
	return -1
}

// progressText returns the progress of the current repetition: "41%, trace 10:12:00, 410 of 1,000
// events, 2 problems".
func progressText(sim *simkubev1.Simulation) string {
	driver := sim.Status.Driver
	if driver == nil {
		return ""
	}
	var parts []string
	if share := share(sim); share >= 0 {
		parts = append(parts, fmt.Sprintf("%d%%", int(share*100)))
	}
	if driver.TraceTime != nil {
		parts = append(parts, "trace "+driver.TraceTime.UTC().Format(time.DateTime))
	}
	if driver.EventsTotal > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s events", words.Number(driver.Events), words.Number(driver.EventsTotal)))
	}
	if driver.Problems > 0 {
		parts = append(parts, words.Count(driver.Problems, "problem"))
	}
	return strings.Join(parts, ", ")
}

// failure returns the error of a simulation that has failed.
func failure(sim *simkubev1.Simulation) error {
	reason, message := stateReason(sim)
	text := "simulation " + sim.Name + " failed"
	for _, part := range []string{reason, message} {
		if part != "" {
			text += ": " + part
		}
	}
	return fmt.Errorf("%s", strings.TrimRight(text, "\n"))
}
