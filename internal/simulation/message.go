package simulation

import (
	"time"

	"simkube.io/simkube/internal/results"
)

// Message is one line of JSON from the process that runs a simulation to the one that started it.
// Exactly one field is set. The last message has Done or Failed set.
type Message struct {
	Note     *Note     `json:"note,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
	Done     *Done     `json:"done,omitempty"`
	Failed   *Failed   `json:"failed,omitempty"`
}

// Level is the severity of a note.
type Level string

// The levels of a note.
const (
	Info    Level = "info"
	Warning Level = "warning"
)

// Note is information for the user, such as the number of nodes.
type Note struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// Phase is a phase of a simulation.
type Phase string

// The phases in the order they come.
const (
	Preparing Phase = "preparing" // reading the trace
	Starting  Phase = "starting"  // starting the control plane
	Nodes     Phase = "nodes"     // creating nodes
	Aligning  Phase = "aligning"  // waiting until the clock shows the seconds of the trace
	Replaying Phase = "replaying" // applying events
	Settling  Phase = "settling"  // waiting for the last pods
	Reporting Phase = "reporting" // writing results
	Cleaning  Phase = "cleaning"  // deleting everything
)

// Progress is how far a simulation is.
type Progress struct {
	Phase Phase `json:"phase"`
	// TraceTime is the present time in the trace, between TraceStart and TraceEnd; zero before the
	// replay.
	TraceTime  time.Time `json:"traceTime"`
	TraceStart time.Time `json:"traceStart"`
	TraceEnd   time.Time `json:"traceEnd"`
	// Events is how many of EventsTotal events were replayed.
	Events      int `json:"events"`
	EventsTotal int `json:"eventsTotal"`
	// Counts counts the pods and nodes of the cluster.
	Counts results.Counts `json:"counts"`
	// ETA is the estimated time until the end of the trace; 0 if it is not known. In virtual time the
	// process that started the simulation estimates it.
	ETA time.Duration `json:"eta"`
	// Detail describes the progress of a phase, such as what clean-up waits for.
	Detail string `json:"detail,omitempty"`
}

// Done is sent when the results are written.
type Done struct {
	// Output is the folder of the results.
	Output  string          `json:"output"`
	Summary results.Summary `json:"summary"`
	// Misplaced is why the results are not in the folder that was asked for; empty if they are.
	Misplaced string `json:"misplaced,omitempty"`
	// Interrupted reports whether the user ended the replay early. The results are those until then.
	Interrupted bool `json:"interrupted,omitempty"`
}

// Failed is sent when a simulation ends without results.
type Failed struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
	// Interrupted reports whether the user ended it before there was anything to report.
	Interrupted bool `json:"interrupted,omitempty"`
}
