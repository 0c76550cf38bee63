package controller

import (
	"context"
	"slices"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

// checkLimits fails a simulation that is invalid, or that the controller's flags do not allow,
// before anything is started. A simulation that already has a driver continues, but its remaining
// hook commands fail.
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

// checkDriverLimits returns a failure if the driver's image or the file mounted as its trace is not
// allowed. It is called again when the job is created, because the cache may still have held a job
// that is gone.
func (s *session) checkDriverLimits() error {
	driver := s.sim.Spec.Driver
	if !s.opts.Images.Allows(driver.Image) {
		return fail(reasonImageForbidden, "invalid spec.driver.image %q: not allowed by sk-ctrl (--allowed-driver-images: %s);  "+
			"use one of these, or ask an administrator to add it, and create the simulation again", driver.Image, s.opts.Images)
	}
	file, err := objects.MountedTrace(s.sim)
	if err != nil {
		return fail(reasonInvalid, "%v", err)
	}
	if file != "" && !s.opts.TracePaths.Allows(file) {
		return fail(reasonTraceForbidden, "invalid spec.driver.tracePath %q: file %s of a node is not in a folder that sk-ctrl allows (--allowed-trace-paths: %s);  "+
			"put the trace there or into a bucket, or ask an administrator to add the folder, and create the simulation again",
			driver.TracePath, file, s.opts.TracePaths)
	}
	return nil
}

// failedAtLimits reports whether a simulation has failed because the flags do not allow it. Nothing
// of it was started.
func failedAtLimits(sim *simkubev1.Simulation) bool {
	failed := conditionOf(sim, simkubev1.ConditionFailed)
	return hasFailed(sim) && slices.Contains([]string{reasonHookCommand, reasonImageForbidden, reasonTraceForbidden}, failed.Reason)
}

// forbiddenCommand returns a failure if any of the controller's hooks is a command. The hooks that
// run last count as well, because they undo what the first ones do. It returns nil if no hook is a
// command.
func forbiddenCommand(all simkubev1.SimulationHooks) error {
	for _, phase := range []struct {
		name simkubev1.HookPhase
		list []simkubev1.SimulationHook
	}{{simkubev1.HookPreStart, all.PreStartHooks}, {simkubev1.HookPostStop, all.PostStopHooks}} {
		for i, hook := range phase.list {
			if hook.Cmd != "" {
				return fail(reasonHookCommand, "%s hook %d is a command (%s), which sk-ctrl only runs with --hook-commands=true;  "+
					"use an action (apply, waitForPods, deleteNodes), or a preRun or postRun hook, or ask an administrator to set the flag, "+
					"and create the simulation again", phase.name, i, hook.Cmd)
			}
		}
	}
	return nil
}
