package simulator

import (
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
)

// ErrInterrupted is returned when the context of a simulation ended before there was anything to
// report.
var ErrInterrupted = simulation.ErrInterrupted

// Result is the result of a simulation.
type Result struct {
	// Output is the folder that holds the results, see docs/results.md.
	Output string
	// Summary has the numbers of the simulation.
	Summary Summary
	// Interrupted says that the replay was ended early; the results cover what was replayed.
	Interrupted bool
}

// Rows reads all rows of the results: of pods, nodes, events and the timeline.
func (r *Result) Rows() (*Rows, error) { return results.Read(r.Output) }

// What Simulation and Result are made of.
type (
	// Delays are how long pods take to pull images and to start.
	Delays = mutate.Delays
	// Note is something that the user should know, such as how many nodes there are.
	Note = simulation.Note
	// Progress is how far a simulation is.
	Progress = simulation.Progress
	// Summary has the numbers of a simulation. It encodes to JSON, and WriteText prints it.
	Summary = results.Summary
	// Rows are a summary and the rows that it was computed from.
	Rows = results.Run
)
