// Package simulation runs one simulation from a trace to its results, and defines what the
// process that does so (sk-cluster) and the one that started it (skctl) tell each other.
//
// Prepare reads the trace and decides on nodes; Run replays it on a cluster it is handed. Neither knows how that cluster came to be. The two processes talk over
// inherited file descriptors, because in virtual time the runtime frames
// what is written to standard output and error:
//
//	ControlFD  to the child: one line with a Spec, later Controls, such as {"interrupt":true}; its end means that the parent is gone
//	MessageFD  from the child: Messages, one JSON object per line
//	LogFD      from the child: the text log of the control plane
package simulation

// The child's inherited file descriptors.
const (
	ControlFD = 3
	MessageFD = 4
	LogFD     = 5
)

// Control is a line from the parent after the Spec.
type Control struct {
	// Interrupt asks to end the replay now, clean up and report what there is.
	Interrupt bool `json:"interrupt,omitempty"`
}

// SeedVariable is the environment variable that holds a simulation's seed beside its Spec, since in virtual time chance is at work
// before any of our code runs.
const SeedVariable = "SIMKUBE_SEED"
