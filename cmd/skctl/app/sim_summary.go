package app

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
)

// writeRuns prints the result of a simulation: a line about all of it, and a table with a row for
// each repetition.
func writeRuns(w io.Writer, sim *simkubev1.Simulation) error {
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
	fmt.Fprintln(table, "RUN\tEVENTS\tAPPLIED\tDELETED\tPROBLEMS\tPODS\tSCHEDULED\tPENDING P50\tP99\tMAX\tLAG MAX\tRESULTS")
	for _, run := range sim.Status.Driver.Summaries {
		cells := []string{fmt.Sprint(run.Run)}
		for _, n := range []int32{run.Events, run.Applied, run.Deleted, run.Problems, run.Pods, run.Scheduled} {
			cells = append(cells, words.Number(n))
		}
		for _, d := range []*metav1.Duration{run.PendingP50, run.PendingP99, run.PendingMax, run.LagMax} {
			cells = append(cells, shownDuration(d))
		}
		fmt.Fprintln(table, tableRow(append(cells, dash(run.Results))...))
	}
	return table.Flush()
}

func shownDuration(d *metav1.Duration) string {
	if d == nil {
		return "-"
	}
	return d.Round(time.Millisecond).String()
}
