package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/internal/repetition"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

// runRepetitions runs the simulation several times and shows the results.
func (p *program) runRepetitions(ctx context.Context, spec simulation.Spec, opts simulateOptions) error {
	path, err := skcluster.Find(spec.Time)
	if err != nil {
		return err
	}
	display := progress.NewRuns(p.streams.Err, opts.repetitions, p.displayOptions())
	runs, err := repetition.Simulate(ctx, repetition.Options{
		Path:     path,
		Spec:     spec,
		Count:    opts.repetitions,
		Parallel: opts.parallel,
		Kill:     p.kill,
		OnMessage: func(number int, msg simulation.Message) {
			switch {
			case msg.Progress != nil:
				display.Update(number, *msg.Progress)
			case msg.Note != nil:
				display.Note(number, *msg.Note)
			}
		},
		OnEnd: display.End,
	})
	display.Close()
	if runs == nil {
		return err
	}
	return p.showRepetitions(ctx, spec.Output, runs, err, opts)
}

// showRepetitions prints the results of the runs, also if their folder is incomplete.
func (p *program) showRepetitions(ctx context.Context, dir string, runs *results.Repetitions, written error, opts simulateOptions) error {
	out := p.streams.Out
	if err := runs.WriteText(out, width(out), p.style(out).colour); err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	var misplaced *repetition.MisplacedError
	switch {
	case errors.As(written, &misplaced):
		return hint(fmt.Errorf("the results are in %s, because they could not be written to %s: %w", misplaced.Dir, dir, misplaced.Err),
			"move them from there: temporary files are deleted at some time")
	case written != nil:
		return written
	}
	index := filepath.Join(dir, results.IndexFile)
	if runs.HasResults() {
		if _, err := fmt.Fprintf(out, "report: %s\n", index); err != nil {
			return fmt.Errorf("print the summary: %w", err)
		}
	}
	if err := results.WriteAssessment(out, runs.Assessment(), p.style(out).colour); err != nil {
		return err
	}
	failed := runs.Count(results.RunFailed)
	switch {
	case runs.Interrupted && !runs.HasResults():
		return fmt.Errorf("%w: no run has replayed anything, so there are no results", errInterrupted)
	case runs.Interrupted:
		return fmt.Errorf("%w: the results only cover what was replayed", errInterrupted)
	case failed > 0:
		return fmt.Errorf("simulate %s: %d of %d runs failed", runs.Trace.Path, failed, len(runs.Runs))
	}
	if opts.open {
		if err := openInBrowser(ctx, index); err != nil {
			return err
		}
	}
	if deviated, _ := runs.Deviated(); opts.strict && deviated > 0 {
		return fmt.Errorf("simulate %s: %s: %w", runs.Trace.Path, runs.Assessment(), errDeviations)
	}
	return nil
}
