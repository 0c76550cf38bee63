package controller

import (
	"context"
	"slices"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Finalizer keeps a Simulation until everything that was created for it is gone.
const Finalizer = "simkube.io/simulation"

// step is one part of a plan. It must be idempotent and may be interrupted at any point.
type step struct {
	name string
	run  func(*session, context.Context) error
}

// The names of plans.
const (
	planNothing = "nothing"
	planSetUp   = "set up"
	planEnd     = "end"
	planRelease = "release"
	planDelete  = "delete"
)

// plan returns the steps that a simulation needs in its state.
func plan(sim *simkubev1.Simulation) (name string, steps []step) {
	deleted, ours := sim.DeletionTimestamp != nil, slices.Contains(sim.Finalizers, Finalizer)
	switch {
	case deleted && !ours:
		return planNothing, nil
	case isEnded(sim):
		// It holds nothing any more, and can be deleted without this controller.
		return planRelease, release()
	case deleted:
		return planDelete, slices.Concat(cleanUp(), []step{{"postStopHooks", (*session).runPostStopOfDeleted}}, release())
	case isOver(sim):
		return planEnd, slices.Concat(cleanUp(), end())
	default:
		return planSetUp, setUp()
	}
}

func setUp() []step {
	return []step{
		{"finalizer", (*session).addFinalizer},
		{"turn", (*session).takeTurn},
		{"holdLease", (*session).takeLease},
		{"limits", (*session).checkLimits},
		{"preStartHooks", (*session).runPreStart},
		{"checks", (*session).check},
		{"metaroot", (*session).ensureRoot},
		{"prometheus", (*session).ensurePrometheus},
		{"service", (*session).ensureService},
		{"certificate", (*session).ensureCertificate},
		{"webhook", (*session).ensureWebhook},
		{"job", (*session).ensureJob},
		{"wait", (*session).wait},
	}
}

func cleanUp() []step {
	return []step{
		{"stop", (*session).stop},
		{"cleanUp", (*session).cleanUpSimulated},
		{"remove", (*session).removeParts},
	}
}

func end() []step {
	return []step{{"postStopHooks", (*session).runPostStop}, {"finish", (*session).finish}}
}

func release() []step {
	return []step{{"releaseLease", (*session).releaseLease}, {"removeFinalizer", (*session).removeFinalizer}}
}

// allSteps returns the steps of all plans. Some are in it more than once.
func allSteps() []step { return slices.Concat(setUp(), cleanUp(), end(), release()) }
