package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
	"simkube.io/simkube/internal/hooks"
)

// deletionPoll is how often a running hook's simulation is checked for deletion.
const deletionPoll = time.Second

// errDeleted is the cause with which hooks are cancelled when their simulation is deleted.
var errDeleted = errors.New("the simulation was deleted")

// runPreStart runs the hooks before anything is set up. They are cancelled if the simulation is
// deleted.
func (s *session) runPreStart(ctx context.Context) error {
	list := hooksOf(s.sim).PreStartHooks
	if len(list) == 0 {
		return nil
	}
	watched, stop := s.cancelOnDelete(ctx)
	err := s.runPhase(watched, simkubev1.HookPreStart, list)
	deleted := errors.Is(context.Cause(watched), errDeleted)
	stop()
	if deleted {
		return waitFor(time.Millisecond, "", "the simulation is being deleted")
	}
	return err
}

// runPostStop runs the hooks after the clean-up, unless nothing was started that they would undo.
// If one fails, the simulation fails.
func (s *session) runPostStop(ctx context.Context) error {
	if !hasBegun(s.sim) {
		return nil
	}
	err := s.runPhase(ctx, simkubev1.HookPostStop, hooksOf(s.sim).PostStopHooks)
	var failed *failure
	if !errors.As(err, &failed) {
		return err
	}
	if hasFailed(s.sim) {
		return nil // the hook's failure is in its record and in an event
	}
	return s.failed(ctx, failed)
}

// runPostStopOfDeleted is runPostStop for a simulation that is deleted: failures are reported, but
// do not block the deletion.
func (s *session) runPostStopOfDeleted(ctx context.Context) error {
	if !hasBegun(s.sim) {
		return nil
	}
	err := s.runPhase(ctx, simkubev1.HookPostStop, hooksOf(s.sim).PostStopHooks)
	var failed *failure
	if errors.As(err, &failed) {
		return nil
	}
	return err
}

// hasBegun reports whether the first hook was started, or, without hooks, the first object may have
// been created.
func hasBegun(sim *simkubev1.Simulation) bool {
	switch {
	case isWaiting(sim):
		return false
	case len(sim.Status.Hooks) > 0:
		return true
	}
	return len(hooksOf(sim).PreStartHooks) == 0 && !failedAtLimits(sim)
}

func hooksOf(sim *simkubev1.Simulation) simkubev1.SimulationHooks {
	if sim.Spec.Hooks == nil {
		return simkubev1.SimulationHooks{}
	}
	return *sim.Spec.Hooks
}

func (s *session) runPhase(ctx context.Context, phase simkubev1.HookPhase, list []simkubev1.SimulationHook) error {
	if len(list) == 0 {
		return nil
	}
	runner := &hooks.Runner{
		Actions: action.Runner{Config: s.opts.Config, Logger: s.log, ForbidCommands: !s.opts.HookCommands},
		Clock:   s.opts.Clock, OnDone: s.hookDone,
	}
	sim := s.sim.DeepCopy()
	// Hooks may receive it as JSON.
	sim.SetGroupVersionKind(simkubev1.GroupVersion.WithKind("Simulation"))
	err := runner.RunPhase(ctx, phase, 0, list, sim, &hookRecords{s})
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, record := range s.status().Hooks {
		if record.Phase == phase && record.State == simkubev1.HookFailed && !ignored(record, list) {
			return fail(reasonHook, "%s hook %d failed; correct it, or set its ignoreFailure, and create the simulation again: %s",
				phase, record.Index, strings.TrimSpace(record.Message))
		}
	}
	return err // the records could not be written
}

func ignored(record simkubev1.HookRecord, list []simkubev1.SimulationHook) bool {
	return int(record.Index) < len(list) && list[record.Index].IgnoreFailure
}

func (s *session) hookDone(record simkubev1.HookRecord, hook simkubev1.SimulationHook, err error) {
	name, exit := fmt.Sprintf("%s hook %d", record.Phase, record.Index), ""
	if hook.Cmd != "" {
		name += " (" + hook.Cmd + ")"
	}
	if record.ExitCode != nil {
		exit = fmt.Sprintf(" with exit code %d", *record.ExitCode)
	}
	switch {
	case err == nil:
		s.event(corev1.EventTypeNormal, "HookSucceeded", "RunHook", name+" ended"+exit)
	case hook.IgnoreFailure:
		s.event(corev1.EventTypeWarning, "HookFailed", "RunHook", name+" failed"+exit+", which ignoreFailure allows: "+err.Error())
	default:
		s.event(corev1.EventTypeWarning, "HookFailed", "RunHook", name+" failed"+exit+": "+err.Error())
	}
}

// cancelOnDelete returns a context that is cancelled with the cause errDeleted when the simulation
// is deleted. The caller must call stop.
func (s *session) cancelOnDelete(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	done, ended := make(chan struct{}), make(chan struct{})
	key := client.ObjectKeyFromObject(s.sim)
	go func() {
		defer close(ended)
		ticker := time.NewTicker(deletionPoll)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			sim := &simkubev1.Simulation{}
			if err := s.client.Get(ctx, key, sim); err == nil && sim.DeletionTimestamp != nil {
				cancel(errDeleted)
				return
			}
		}
	}()
	return watched, func() {
		close(done)
		<-ended
		cancel(context.Canceled)
	}
}
