package simulation

import (
	"time"

	"simkube.io/simkube/internal/results"
)

// Message is one line of JSON from the process that runs a simulation to the one that started it.
// Exactly one field is set. The last message is a Done or a Failed.
type Message struct {
	Note     *Note     `json:"note,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
	Done     *Done     `json:"done,omitempty"`
	Failed   *Failed   `json:"failed,omitempty"`
}

// Level is how much a note matters.
type Level string

// The levels of a note.
const (
	Info    Level = "info"
	Warning Level = "warning"
)

// Note is something the user should know, such as how many nodes there will be.
type Note struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// Phase is what a simulation is busy with.
type Phase string

// The phases in the order they come.
const (
	Preparing Phase = "preparing" // reading the trace
	Starting  Phase = "starting"  // bringing up the control plane
	Nodes     Phase = "nodes"     // creating nodes
	Aligning  Phase = "aligning"  // waiting for the clock's seconds
	Replaying Phase = "replaying" // applying events
	Settling  Phase = "settling"  // waiting for the last pods
	Reporting Phase = "reporting" // writing results
	Cleaning  Phase = "cleaning"  // deleting everything
)

// Progress is how far a simulation is.
type Progress struct {
	Phase Phase `json:"phase"`
	// TraceTime is the trace's clock now, between TraceStart and TraceEnd; zero before the replay.
	TraceTime  time.Time `json:"traceTime"`
	TraceStart time.Time `json:"traceStart"`
	TraceEnd   time.Time `json:"traceEnd"`
	// Events were replayed, of EventsTotal.
	Events      int `json:"events"`
	EventsTotal int `json:"eventsTotal"`
	// Counts is what the cluster holds.
	Counts results.Counts `json:"counts"`
	// ETA is how long it will take until the end of the trace; 0 when not known. In virtual time the simulation doesn't know, and
	// who started it estimates.
	ETA time.Duration `json:"eta"`
	// Detail says more about a phase, such as what clean-up waits for.
	Detail string `json:"detail,omitempty"`
}

// Done tells that results were written.
type Done struct {
	// Output is where the results are.
	Output  string          `json:"output"`
	Summary results.Summary `json:"summary"`
	// Misplaced says why they are not where they were to go; empty if they are.
	Misplaced string `json:"misplaced,omitempty"`
	// Interrupted tells that the replay was ended early by the user; the results cover what was replayed.
	Interrupted bool `json:"interrupted,omitempty"`
}

// Failed tells that the simulation came to nothing.
type Failed struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
	// Interrupted tells that the user ended it before there was anything to report.
	Interrupted bool `json:"interrupted,omitempty"`
}
