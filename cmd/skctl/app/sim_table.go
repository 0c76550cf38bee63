package app

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/words"
)

// writeSimulations prints a table with a row for each simulation.
func writeSimulations(w io.Writer, sims []*simkubev1.Simulation, wide bool, now time.Time) error {
	head := []string{"NAME", "STATE", "RUNS", "PROGRESS", "PROBLEMS", "DEVIATIONS", "AGE", "REASON"}
	if wide {
		head = append(head, "SPEED", "START", "END", "TRACE", "POD", "MESSAGE")
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, tableRow(head...))
	for _, sim := range sims {
		fmt.Fprintln(table, tableRow(row(sim, wide, now)...))
	}
	return table.Flush()
}

func row(sim *simkubev1.Simulation, wide bool, now time.Time) []string {
	done, total := runs(sim)
	state, problems, deviations, pod := stateOf(sim), "-", "-", "-"
	if sim.DeletionTimestamp != nil {
		state += ",Deleting"
	}
	if driver := sim.Status.Driver; driver != nil {
		problems, deviations, pod = words.Number(allProblems(driver)), allDeviations(driver), dash(driver.Pod)
	}
	at := "-"
	if share := share(sim); share >= 0 {
		at = fmt.Sprintf("%d%%", int(share*100))
	}
	age := "-"
	if !sim.CreationTimestamp.IsZero() {
		age = duration.HumanDuration(now.Sub(sim.CreationTimestamp.Time))
	}
	reason, message := stateReason(sim)
	cells := []string{sim.Name, state, fmt.Sprintf("%d/%d", done, total), at, problems, deviations, age, dash(reason)}
	if wide {
		speed := 1.0
		if sim.Spec.Speed != nil {
			speed = *sim.Spec.Speed
		}
		cells = append(cells, fmt.Sprint(speed), shownTime(sim.Status.StartTime), shownTime(sim.Status.EndTime), sim.Spec.Driver.TracePath, pod,
			// A message of several lines would break the table.
			dash(strings.Join(strings.Fields(message), " ")))
	}
	return cells
}

// allProblems returns the number of problems of all repetitions, including the current one.
func allProblems(driver *simkubev1.DriverStatus) int32 {
	problems := driver.Problems
	for _, run := range driver.Summaries {
		if run.Run != driver.Run {
			problems += run.Problems
		}
	}
	return problems
}

// allDeviations returns the number of deviations of the repetitions that have ended, or a dash if
// that is not known.
func allDeviations(driver *simkubev1.DriverStatus) string {
	var total *int32
	for _, run := range driver.Summaries {
		if run.Deviations == nil {
			continue
		}
		if total == nil {
			total = new(int32)
		}
		*total += *run.Deviations
	}
	return shownCount(total)
}

func shownTime(t *metav1.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
