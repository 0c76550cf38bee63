package driver

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/storage"
)

const (
	// retryTimeout bounds the attempts to keep the outcome of a replay. The pauses between them grow
	// from minPause to maxPause.
	retryTimeout       = 5 * time.Minute
	minPause, maxPause = time.Second, 20 * time.Second
)

// finished keeps the results of a repetition, which is not replayed again from then on. If it has
// failed, the failure is written at the same time: the next driver must not take the repetition for
// a success.
func (d *driver) finished(ctx context.Context, run int32, done *simulation.Done, ended error) error {
	summary := d.summary(run, &done.Summary)
	kept := d.keeper()
	err := d.retry(ctx, "the results", func() (err error) {
		if kept != nil {
			summary.Results, err = kept.keep(ctx, done.Output, d.runName(run))
		}
		return err
	})
	if err == nil && kept != nil {
		d.keepRepetitions(ctx, kept, run, &done.Summary, ended)
	}
	if err == nil && !keepsFolder(d.sim) {
		// It would stay until the last repetition ends.
		if err := os.RemoveAll(done.Output); err != nil {
			d.log.WarnContext(ctx, "a folder that is not needed any more stays", "error", err)
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		summary.Results = ""
		err = fail(ReasonResultsNotKept, "%w; check spec.results and the driver's permissions there", err)
	}
	err = cmp.Or(failure(ended), err)
	d.status.change(func(s *simkubev1.DriverStatus) {
		s.Summaries = append(s.Summaries, summary)
		note(s, err)
	})
	saveErr := d.retry(ctx, "the end of a repetition", func() error {
		return d.status.save(ctx, func(*simkubev1.DriverStatus) {})
	})
	return errors.Join(err, saveErr)
}

// retry calls f until it succeeds, returns an error that is not transient, or retryTimeout has
// passed: hours of replay must not be lost because a server does not answer for a moment. what
// names what is kept, for the log.
func (d *driver) retry(ctx context.Context, what string, f func() error) error {
	began := d.opts.Clock.Now()
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := f()
		if err == nil || ctx.Err() != nil || !isTransient(err) || d.opts.Clock.Since(began) > retryTimeout {
			return err
		}
		d.log.WarnContext(ctx, "something could not be kept yet", "what", what, "error", err, "again", pause)
		timer := d.opts.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C():
		}
		timer.Stop()
	}
}

// isTransient reports whether another attempt may succeed.
func isTransient(err error) bool {
	var failed *Failure
	return !errors.As(err, &failed) && !isNotExist(err) && !errors.Is(err, storage.ErrPermission) &&
		!apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && !apierrors.IsRequestEntityTooLargeError(err)
}

// isNotExist reports whether what was read, or where something was to be written, does not exist.
func isNotExist(err error) bool {
	return errors.Is(err, storage.ErrNotExist) || errors.Is(err, fs.ErrNotExist) || apierrors.IsNotFound(err)
}

// summary returns what the status has of a repetition. Events and objects are counted over all
// drivers that replayed it.
func (d *driver) summary(run int32, s *results.Summary) simkubev1.RunSummary {
	measures := results.MeasuresOf(s)
	number := func(key string) int32 { return count(int(measures[key])) }
	seconds := func(key string) *metav1.Duration {
		return &metav1.Duration{Duration: time.Duration(measures[key] * float64(time.Second)).Round(time.Millisecond)}
	}
	total, _ := d.checkpoints.last()
	return simkubev1.RunSummary{
		Deviations: deviations(s, total.Problems),
		Run:        run,
		Events:     count(total.Events), Applied: count(total.Applied), Deleted: count(total.Deleted), Problems: count(total.Problems),
		Pods: number(results.MeasurePods), Scheduled: number(results.MeasureScheduled),
		PendingP50: seconds(results.MeasurePendingP50), PendingP99: seconds(results.MeasurePendingP99),
		PendingMax: seconds(results.MeasurePendingMax), LagMax: seconds(results.MeasureLagMax),
	}
}

// deviations returns the number of deviations of a repetition that had a number of problems over
// all drivers. The summary only has the deviations of its own driver.
func deviations(s *results.Summary, problems int) *int32 {
	if s.Outcome.Deviations == nil {
		return nil
	}
	n := count(s.Outcome.Deviations.Total + max(0, problems-s.Outcome.Problems.Total))
	return &n
}

func count(n int) int32 { return int32(min(n, math.MaxInt32)) }
