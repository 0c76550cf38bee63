package controller

import (
	"context"
	"slices"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// checkLimits fails a simulation that asks for what cannot be, or what the controller's flags do
// not allow, before anything is begun. One that has a driver was begun when it was allowed, and
// goes on: of its hooks that are commands, those that are left fail.
func (s *session) checkLimits(ctx context.Context) error {
	if err := checkNames(s.sim); err != nil {
		return err
	}
	failed := s.checkDriverLimits()
	if failed == nil && !s.opts.HookCommands && len(s.status().Hooks) == 0 {
		failed = forbiddenCommand(hooksOf(s.sim))
	}
	if failed == nil {
		return nil
	}
	begun, err := s.hasJob(ctx)
	if begun || err != nil {
		return err
	}
	return failed
}

// checkDriverLimits returns a failure if the driver's pod would have an image or a file of its node
// that it may not have. It is called once more when the pod's job is made: the cache may have known
// of a job that is gone by then.
func (s *session) checkDriverLimits() error {
	driver := s.sim.Spec.Driver
	if !s.opts.Images.Allows(driver.Image) {
		return fail(reasonImageForbidden, "spec.driver.image %q is not one that sk-ctrl runs (--allowed-driver-images: %s); "+
			"use one of these, or have whoever installed sk-ctrl add it, and create the simulation anew", driver.Image, s.opts.Images)
	}
	file, err := objects.MountedTrace(s.sim)
	if err != nil {
		return fail(reasonInvalid, "%v", err)
	}
	if file != "" && !s.opts.TracePaths.Allows(file) {
		return fail(reasonTraceForbidden, "spec.driver.tracePath %q is the file %s of a node, and is not below a folder that sk-ctrl mounts from (--allowed-trace-paths: %s); "+
			"put the trace there or into a bucket, or have whoever installed sk-ctrl add the folder, and create the simulation anew",
			driver.TracePath, file, s.opts.TracePaths)
	}
	return nil
}

// failedAtLimits reports whether a simulation has failed for what the flags do not allow. Nothing
// of it was begun.
func failedAtLimits(sim *simkubev1.Simulation) bool {
	failed := conditionOf(sim, simkubev1.ConditionFailed)
	return hasFailed(sim) && slices.Contains([]string{reasonHookCommand, reasonImageForbidden, reasonTraceForbidden}, failed.Reason)
}

// forbiddenCommand returns the failure for the first hook that is a command of sk-ctrl's, be it the
// last that would run: nothing is set up that it could not undo. It returns nil if no hook is one.
func forbiddenCommand(all simkubev1.SimulationHooks) error {
	for _, phase := range []struct {
		name simkubev1.HookPhase
		list []simkubev1.SimulationHook
	}{{simkubev1.HookPreStart, all.PreStartHooks}, {simkubev1.HookPostStop, all.PostStopHooks}} {
		for i, hook := range phase.list {
			if hook.Cmd != "" {
				return fail(reasonHookCommand, "%s hook %d is a command (%s), and sk-ctrl runs none unless it is started with --hook-commands=true; "+
					"use an action (apply, waitForPods, deleteNodes), or a preRun or postRun hook, or have whoever installed sk-ctrl set the flag, "+
					"and create the simulation anew", phase.name, i, hook.Cmd)
			}
		}
	}
	return nil
}
