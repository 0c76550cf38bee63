package hooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
)

// Ledger keeps which hooks were begun. Save returns once the records outlive this process.
type Ledger interface {
	Records() []simkubev1.HookRecord
	Save(ctx context.Context, records []simkubev1.HookRecord) error
}

// ErrInterrupted is recorded for a hook that a process before this one began.
var ErrInterrupted = errors.New("interrupted: it was begun and its end is not known, so it is not run again")

// ErrFailedBefore is told of a hook that has failed already.
var ErrFailedBefore = errors.New("has failed")

// RunPhase runs those hooks of a phase that the ledger does not hold, one after the other. It returns at the first that
// fails, or failed in an earlier call, unless the hook says to ignore that. Hooks after the stop undo what others have done,
// each for itself: of them all are run, and the error is that of the first that fails.
func (r *Runner) RunPhase(ctx context.Context, phase simkubev1.HookPhase, run int32, hooks []simkubev1.SimulationHook, sim *simkubev1.Simulation, ledger Ledger) error {
	records := slices.Clone(ledger.Records())
	var first error
	for i, hook := range hooks {
		index := int32(i) // the API allows 64 hooks
		at := slices.IndexFunc(records, func(h simkubev1.HookRecord) bool {
			return h.Phase == phase && h.Index == index && h.Run == run
		})
		if at >= 0 && records[at].State != simkubev1.HookStarted {
			if records[at].State == simkubev1.HookFailed && !hook.IgnoreFailure {
				err := fmt.Errorf("%s[%d]: %w: %s", phase, i, ErrFailedBefore, records[at].Message)
				if phase != simkubev1.HookPostStop {
					return err
				}
				first = cmp.Or(first, err)
			}
			continue
		}
		result, hookErr := Result{ExitCode: -1}, ErrInterrupted
		if at < 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			records = append(records, simkubev1.HookRecord{Phase: phase, Index: index, Run: run, State: simkubev1.HookStarted, StartTime: r.now()})
			at = len(records) - 1
			if err := ledger.Save(ctx, slices.Clone(records)); err != nil {
				return fmt.Errorf("save that hook %s[%d] begins: %w", phase, i, err)
			}
			result, hookErr = r.Run(ctx, hook, sim)
		}
		r.end(&records[at], result, hookErr)
		if err := ledger.Save(context.WithoutCancel(ctx), slices.Clone(records)); err != nil {
			return fmt.Errorf("save that hook %s[%d] ended: %w", phase, i, errors.Join(err, hookErr))
		}
		if r.OnDone != nil {
			r.OnDone(records[at], hook, hookErr)
		}
		if hookErr != nil && (ctx.Err() != nil || !hook.IgnoreFailure) {
			err := fmt.Errorf("%s[%d]: %w", phase, i, hookErr)
			if ctx.Err() != nil || phase != simkubev1.HookPostStop {
				return err
			}
			first = cmp.Or(first, err)
		}
	}
	return first
}

func (r *Runner) end(record *simkubev1.HookRecord, result Result, err error) {
	record.State, record.EndTime = simkubev1.HookSucceeded, r.now()
	if result.ExitCode >= 0 {
		code := int32(result.ExitCode)
		record.ExitCode = &code
	}
	if err != nil {
		record.State, record.Message = simkubev1.HookFailed, printable.Text(err.Error()) // of programs, too
	}
}

func (r *Runner) now() *metav1.Time {
	now := metav1.Now()
	if r.Clock != nil {
		now = metav1.NewTime(r.Clock.Now())
	}
	return &now
}
