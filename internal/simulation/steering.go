package simulation

import (
	"context"
	"time"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
)

// Steering is what a run needs in a cluster that others use, too, where it may be paused, and where the process may be
// ended and another one started that takes the run up. The zero Steering is that of a run on a control plane of its own.
type Steering struct {
	// RootName is the name of the SimulationRoot; empty means the engine's default.
	RootName string
	// FailFast ends the run with the first object that cannot be applied or deleted.
	FailFast bool
	// Pause pauses the replay; nil means that it never is. Pauses tells when it was, for the results.
	Pause  *replay.Pauser
	Pauses func() []results.Span
	// Resume is how far an earlier process came. It is disregarded where the root it speaks of is gone.
	Resume *Checkpoint
	// PausedSince is when a pause began that goes on when Run is called, zero if there is none. Resume takes account of it: the process
	// may not have been there.
	PausedSince time.Time
	// Exclusive has every pod that is offered kept on simulated nodes: see mutate.Config.
	Exclusive bool
	// OnCheckpoint is called from when the replay begins whenever it has come further, with what gives the checkpoint of the moment it is
	// called at; that may be kept, and gives the latest when the run has ended. OnCheckpoint must return at once.
	OnCheckpoint func(take func() Checkpoint)
	// OnEvent is told of every event that is done, as the engine's is.
	OnEvent func(replay.EventReport)
	// BeforeReplay is called when pods are mutated and nothing is replayed yet.
	BeforeReplay func(ctx context.Context, root mutate.Root) error
	// OnResults is called when the results are written, and before anything is cleaned up. The failure is why the run ended
	// early with FailFast, and otherwise nil.
	OnResults func(ctx context.Context, done *Done, failure error) error
	// Leave has everything left as it is when the run ends with an error, or because its context does, so that another process can
	// take it up. Who calls cleans up then, if nobody will.
	Leave bool
}

// Checkpoint is how far a run is, for a process that takes it up. It is kept as JSON.
type Checkpoint struct {
	// Root is the root that everything hangs off.
	Root mutate.Root `json:"root"`
	// ClockStart is when the first event was due, moved by the pauses before this process.
	ClockStart time.Time `json:"clockStart"`
	// Shift is how long the replay was paused since, a pause that goes on included.
	Shift time.Duration `json:"shift,omitempty"`
	// At is when this was taken, and Paused tells whether the replay was paused then.
	At     time.Time `json:"at"`
	Paused bool      `json:"paused,omitempty"`
	// Done is how many leading events of the trace are wholly done.
	Done int `json:"done"`
	// Events, Applied, Deleted and Problems are what the processes so far have done.
	Events   int `json:"events,omitempty"`
	Applied  int `json:"applied,omitempty"`
	Deleted  int `json:"deleted,omitempty"`
	Problems int `json:"problems,omitempty"`
	// Numbers are how many pods each owner has had.
	Numbers map[string]int `json:"numbers,omitempty"`
}

// start is when the first event is due for a process that takes the run up now. A pause that had begun goes on until now: what was not
// running cannot know of its end; one that began meanwhile counts from when it did. Other time that passed while nobody replayed is caught up on.
func (c *Checkpoint) start(now, pausedSince time.Time) time.Time {
	start := c.ClockStart.Add(c.Shift)
	switch {
	case c.Paused:
		start = start.Add(max(0, now.Sub(c.At)))
	case pausedSince.After(c.At):
		start = start.Add(max(0, now.Sub(pausedSince)))
	case !pausedSince.IsZero():
		start = start.Add(max(0, now.Sub(c.At)))
	}
	return start
}

// counted adds what is done since a checkpoint.
func (c *Checkpoint) counted(e replay.EventReport) {
	c.Events++
	c.Applied += e.Applied
	c.Deleted += e.Deleted
	c.Problems += len(e.Problems)
}

// numbers and done are those of a checkpoint, or of none.
func (c *Checkpoint) numbers() map[string]int {
	if c == nil {
		return nil
	}
	return c.Numbers
}

func (c *Checkpoint) done() int {
	if c == nil {
		return 0
	}
	return c.Done
}
