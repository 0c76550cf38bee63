package simulation

import (
	"context"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/replay"
	"simkube.io/simkube/internal/results"
)

// Options are the options of a run. The zero Options are those of a run on a control plane of its
// own, which nobody continues.
type Options struct {
	// RootName is the name of the SimulationRoot; empty means the engine's default.
	RootName string
	// FailFast ends the run with the first object that cannot be applied or deleted.
	FailFast bool
	// Exclusive keeps every pod that is mutated on simulated nodes; see mutate.Config.
	Exclusive bool
	// Leave leaves everything as it is if the run ends with an error or because its context ends, so
	// that another process can continue it. The caller cleans up if none does.
	Leave bool
	// BeforeReplay is called when pods are mutated and nothing is replayed yet.
	BeforeReplay func(ctx context.Context, root mutate.Root) error
	// Programs, if not nil, run beside the replay.
	Programs Programs
	// OnEvent is called for every event that is done, like replay.Options.OnEvent.
	OnEvent func(replay.EventReport)
	// OnCheckpoint is called whenever the replay has come further, with a function that returns the
	// checkpoint of the time at which it is called. The function may be called as long as the caller
	// likes, also after the run has ended. OnCheckpoint must return soon.
	OnCheckpoint func(take func() Checkpoint)
	// OnResults is called when the results are written, before anything is cleaned up. The failure is
	// the error that ended the run early because of FailFast, and nil otherwise.
	OnResults func(ctx context.Context, done *Done, failure error) error
}

// Programs are programs that run beside a replay, and use its cluster. The cluster fails if one of
// them does.
type Programs interface {
	// Start starts the programs, and returns when all of them run. It is called when the cluster is
	// observed and before the first event. report receives notes, also later.
	Start(ctx context.Context, report func(Message)) error
	// Stop ends all programs, and returns when none of them runs. It is called when the cluster is not
	// observed any more, also if Start failed. The files that it returns are added to the results.
	Stop() []results.File
}
