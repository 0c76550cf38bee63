package driver

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/report"
)

// keepRepetitions adds a repetition that has ended to the description of all of them, which is kept
// beside their results as skctl simulate writes it: repetitions.json and the page that compares
// them. What is in these files is in the results of the repetitions, too, so that an error is only
// logged.
func (d *driver) keepRepetitions(ctx context.Context, k keeper, run int32, s *results.Summary, ended error) {
	err := d.retry(ctx, "the description of all repetitions", func() error {
		if d.repetitions == nil {
			all, err := d.earlierRepetitions(ctx, k)
			if err != nil {
				return err
			}
			d.repetitions = all
		}
		r := d.repetitions
		r.Add(int(run), d.runName(run), s)
		if ended != nil {
			r.Runs[run-1].Error = ended.Error()
		}
		r.Conclude()
		return writeRepetitions(ctx, k, r)
	})
	if err != nil {
		d.log.WarnContext(ctx, "the description of all repetitions was not kept", "error", err)
	}
}

// earlierRepetitions returns the description of the repetitions that earlier drivers have finished.
func (d *driver) earlierRepetitions(ctx context.Context, k keeper) (*results.Repetitions, error) {
	r := results.NewRepetitions(d.sim.Name, d.traceName, int(d.runs()))
	summaries := d.status.get().Summaries
	if len(summaries) == 0 {
		return r, nil // a file that is there is of another simulation
	}
	text, err := k.read(ctx, results.RepetitionsFile)
	var before *results.Repetitions
	if err == nil {
		before, err = results.DecodeRepetitions(text)
	}
	switch {
	case err == nil:
	case isTransient(err) && text == nil:
		return nil, err
	default:
		d.log.WarnContext(ctx, "earlier repetitions will not be described beside this one", "error", err)
		return r, nil
	}
	for _, run := range before.Runs {
		done := slices.ContainsFunc(summaries, func(s simkubev1.RunSummary) bool { return int(s.Run) == run.Number })
		if done && run.Number >= 1 && run.Number <= len(r.Runs) {
			r.Runs[run.Number-1] = run
			r.Trace, r.Versions, r.Settings = before.Trace, before.Versions, before.Settings
		}
	}
	return r, nil
}

func writeRepetitions(ctx context.Context, k keeper, r *results.Repetitions) error {
	text, err := results.EncodeRepetitions(r)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.RenderIndex(&page, r); err != nil {
		return err
	}
	if err := k.write(ctx, results.IndexFile, page.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", results.IndexFile, err)
	}
	if err := k.write(ctx, results.RepetitionsFile, text); err != nil {
		return fmt.Errorf("write %s: %w", results.RepetitionsFile, err)
	}
	return nil
}
