// Package simulation runs one simulation from a trace to its results, and defines the messages
// between the process that does so (sk-cluster) and the one that started it (skctl).
//
// Prepare reads the trace and plans the nodes; Run replays it on a given cluster. Neither depends
// on how that cluster was started. The two processes communicate over inherited file descriptors,
// because in virtual time the runtime frames what is written to standard output and error:
//
//	ControlFD  to the child: one line with a Spec, later Controls, such as {"interrupt":true};
//	           its end means that the parent has ended
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
	// Interrupt ends the replay now, cleans up, and reports what there is.
	Interrupt bool `json:"interrupt,omitempty"`
}

// SeedVariable is the environment variable with the seed of a simulation. It is needed in addition
// to the Spec, since in virtual time the runtime uses random numbers before any of our code runs.
const SeedVariable = "SIMKUBE_SEED"
