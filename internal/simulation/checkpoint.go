package simulation

import (
	"time"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
)

// Checkpoint is how far a run has come, for a process that continues it. It is stored as JSON.
type Checkpoint struct {
	// Root is the root object of the run.
	Root mutate.Root `json:"root"`
	// ClockStart is when the first event was due, shifted by the pauses before this process.
	ClockStart time.Time `json:"clockStart"`
	// Shift is how long this process has paused the replay, including a pause that is not over.
	Shift time.Duration `json:"shift,omitempty"`
	// At is when the checkpoint was taken, and Paused whether the replay was paused then.
	At     time.Time `json:"at"`
	Paused bool      `json:"paused,omitempty"`
	// Done is how many leading events of the trace are completely done.
	Done int `json:"done"`
	// Events, Applied, Deleted and Problems count what this process and those before it have done.
	Events   int `json:"events,omitempty"`
	Applied  int `json:"applied,omitempty"`
	Deleted  int `json:"deleted,omitempty"`
	Problems int `json:"problems,omitempty"`
	// Numbers are how many pods each owner has had.
	Numbers map[string]int `json:"numbers,omitempty"`
}

// count adds an event that is done.
func (c *Checkpoint) count(e replay.EventReport) {
	c.Events++
	c.Applied += e.Applied
	c.Deleted += e.Deleted
	c.Problems += len(e.Problems)
}
