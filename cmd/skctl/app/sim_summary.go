package app

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/words"
)

// writeRuns prints the result of a simulation: a line about all of it, and a table with a row for
// each repetition. The last line says whether the trace was replayed as recorded.
func writeRuns(w io.Writer, sim *simkubev1.Simulation, colour bool) error {
	done, total := runs(sim)
	took := ""
	if from, to := sim.Status.StartTime, sim.Status.EndTime; from != nil && to != nil {
		took = " in " + to.Sub(from.Time).Round(time.Second).String()
	}
	if _, err := fmt.Fprintf(w, "simulation %s: %s, %d of %d runs%s\n", printable.Line(sim.Name), printable.Line(stateOf(sim)), done, total, took); err != nil {
		return err
	}
	if sim.Status.Driver == nil || len(sim.Status.Driver.Summaries) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "RUN\tEVENTS\tAPPLIED\tDELETED\tPROBLEMS\tDEVIATIONS\tPODS\tSCHEDULED\tPENDING P50\tP99\tMAX\tLAG MAX\tRESULTS")
	for _, run := range sim.Status.Driver.Summaries {
		cells := []string{fmt.Sprint(run.Run)}
		for _, n := range []int32{run.Events, run.Applied, run.Deleted, run.Problems} {
			cells = append(cells, words.Number(n))
		}
		cells = append(cells, shownCount(run.Deviations), words.Number(run.Pods), words.Number(run.Scheduled))
		for _, d := range []*metav1.Duration{run.PendingP50, run.PendingP99, run.PendingMax, run.LagMax} {
			cells = append(cells, shownDuration(d))
		}
		fmt.Fprintln(table, tableRow(append(cells, dash(run.Results))...))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the results: %w", err)
	}
	return results.WriteAssessment(w, results.StatusAssessment(sim.Status.Driver), colour)
}

// deviationsOf returns an error if a simulation was not replayed as recorded, or if that is not
// known.
func deviationsOf(sim *simkubev1.Simulation) error {
	switch assessment := results.StatusAssessment(sim.Status.Driver); assessment {
	case results.AsRecorded:
		return nil
	case "":
		return fmt.Errorf("simulation %s: its driver did not count deviations", sim.Name)
	default:
		return fmt.Errorf("simulation %s: %s: %w", sim.Name, assessment, errDeviations)
	}
}

func shownCount(n *int32) string {
	if n == nil {
		return "-"
	}
	return words.Number(*n)
}

func shownDuration(d *metav1.Duration) string {
	if d == nil {
		return "-"
	}
	return d.Round(time.Millisecond).String()
}
