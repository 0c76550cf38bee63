package sample

import (
	"fmt"

	"simkube.io/simkube/internal/results"
)

// Repetitions returns six runs of a day with different seeds: one failed, one was interrupted, and
// the last was not started.
func Repetitions() *results.Repetitions {
	r := &results.Repetitions{
		SchemaVersion: results.RepetitionsSchemaVersion,
		Simulation:    "day",
		Interrupted:   true,
	}
	for number := 1; number <= 6; number++ {
		run := results.Repetition{Number: number, Seed: uint64(41 + number)}
		switch number {
		case 3:
			run.Status = results.RunFailed
			run.Error = "the control plane ended unexpectedly (exit status 2)\n    panic: out of luck"
			run.Log = "/tmp/simkube-log-1.txt"
		case 6:
			run.Status = results.RunNotStarted
		default:
			day := Day(uint64(number)).Summary
			day.Run.WallSeconds = 100 + 7.5*float64(number*number%11)
			r.Trace = day.Run.Trace
			run.Status, run.Folder = results.RunFinished, fmt.Sprintf("run-%02d", number)
			run.Measures = results.MeasuresOf(&day)
			run.PeakMemoryBytes = int64(600+9*number) << 20
			if number == 5 {
				run.Status = results.RunInterrupted
			}
		}
		r.Runs = append(r.Runs, run)
	}
	r.Across = results.Across(r.Runs)
	return r
}
