package hooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
	"simkube.io/simkube/internal/printable"
)

// RecordStore stores the records of the hooks that were started. Save returns when the records
// outlive this process.
type RecordStore interface {
	Records() []simkubev1.HookRecord
	Save(ctx context.Context, records []simkubev1.HookRecord) error
}

// ErrInterrupted is the error of a hook that an earlier process started and whose end was not
// saved.
var ErrInterrupted = errors.New("interrupted: it was begun and its end is not known, so it is not run again")

// ErrFailedBefore is returned for a hook that failed in an earlier call.
var ErrFailedBefore = errors.New("has failed")

// Runner runs the hooks of a phase. The zero Runner works, for commands. Its fields must not change
// after the first call of RunPhase, which may be called concurrently.
type Runner struct {
	// Actions runs what the hooks do.
	Actions action.Runner
	// Clock stamps records; nil means the system's clock.
	Clock clock.PassiveClock
	// OnDone, if not nil, is called for each hook that ended, from the goroutine of RunPhase.
	OnDone func(record simkubev1.HookRecord, hook simkubev1.SimulationHook, err error)
}

// Run runs one hook, without a record of it. Every error wraps an [action.Error], unless ctx ended
// first.
func (r *Runner) Run(ctx context.Context, hook simkubev1.SimulationHook, sim *simkubev1.Simulation) (action.Result, error) {
	result, err := r.Actions.Run(ctx, hook, sim)
	if err != nil {
		err = fmt.Errorf("hook %w", err)
	}
	return result, err
}

// RunPhase runs those hooks of a phase that have no record in the store, one after the other. It
// returns at the first hook that fails, or failed in an earlier call, unless the hook says that its
// failure is ignored. The hooks of PostStop each undo something of their own: all of them are run,
// and the error is that of the first that fails.
func (r *Runner) RunPhase(ctx context.Context, phase simkubev1.HookPhase, run int32, hooks []simkubev1.SimulationHook, sim *simkubev1.Simulation, store RecordStore) error {
	records := slices.Clone(store.Records())
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
		result, hookErr := action.Result{ExitCode: -1}, ErrInterrupted
		if at < 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			records = append(records, simkubev1.HookRecord{Phase: phase, Index: index, Run: run, State: simkubev1.HookStarted, StartTime: r.now()})
			at = len(records) - 1
			if err := store.Save(ctx, slices.Clone(records)); err != nil {
				return fmt.Errorf("save that hook %s[%d] begins: %w", phase, i, err)
			}
			result, hookErr = r.Run(ctx, hook, sim)
		}
		r.end(&records[at], result, hookErr)
		if err := store.Save(context.WithoutCancel(ctx), slices.Clone(records)); err != nil {
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

// end sets how a hook ended in its record.
func (r *Runner) end(record *simkubev1.HookRecord, result action.Result, err error) {
	record.State, record.EndTime = simkubev1.HookSucceeded, r.now()
	if result.ExitCode >= 0 {
		code := int32(result.ExitCode)
		record.ExitCode = &code
	}
	if err != nil {
		// The message has the output of a program in it.
		record.State, record.Message = simkubev1.HookFailed, printable.Text(err.Error())
	}
}

func (r *Runner) now() *metav1.Time {
	now := metav1.Now()
	if r.Clock != nil {
		now = metav1.NewTime(r.Clock.Now())
	}
	return &now
}
