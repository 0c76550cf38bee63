package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

func newSimulate(p *program) *cobra.Command {
	var opts simulateOptions
	cmd := &cobra.Command{
		Use:     "simulate TRACE",
		Aliases: []string{"sim"},
		Short:   "Replay a trace on an embedded control plane and report the results",
		Long: `simulate starts a Kubernetes control plane with simulated nodes and pods in a process of its own,
applies what the trace recorded at the times when it was recorded, and observes how the scheduler
and the controllers react. The results are a folder with a report (report.html), a summary
(summary.json) and tables (Parquet). Nothing is left outside that folder. simulate checks that the
folder is writable before it starts. If the results cannot be written there at the end, they go to
a new temporary folder, and the exit status is 1.

TRACE is a path, a URL (s3://bucket/key, gs://..., azure://..., http(s)://...) or - for the standard
input. With --skel it is first transformed by a program as by skctl transform; the file itself is not
changed.

With --repetitions N it runs N times, each time in a process of its own, and as many at once as cores
and memory allow. The results are a folder with a folder per repetition (run-01, run-02, ...), a page
that compares them (index.html) and its data (repetitions.json). With --seed S the first run has the
seed S, the second S+1, and so on. If a run fails, the others continue.

With --with COMMAND, which requires --time real, sh runs a program beside the replay, such as an
autoscaler. KUBECONFIG is set for it. Its output is the file with-1.log of the results, and that of a
second program with-2.log. If it fails before the end of the replay, the simulation fails.

An interrupt (Ctrl-C, or SIGTERM) ends the replay early: the results cover what was replayed, which
takes some seconds. A second interrupt ends simulate at once, without results.

The last line is the verdict: replayed as recorded, or replayed with N deviations. Deviations are
objects that were refused or left out, pods that did not run although the recording or the
specifications have them, pods that ran in addition, and pods that ended earlier or later than
recorded. The summary lists them with their reasons, and summary.json and the report have all of
them. With --strict, deviations make the exit status 3, and simulate fails before it starts if a
command of the --skel program changes nothing.

Exit status: 0 success, 1 failure, 2 invalid usage, 3 deviations with --strict, 130 interrupted.`,
		Example: `  skctl simulate examples/day.sktrace
  skctl simulate prod.sktrace --nodes 40 --node-shape cpu=16,memory=64Gi,pods=110 -o small-nodes
  skctl simulate prod.sktrace --scheduler-config binpack.yaml --duration 2h
  skctl simulate s3://traces/prod.sktrace --skel double.skel
  skctl simulate prod.sktrace --time real --with './my-autoscaler --kubeconfig "$KUBECONFIG"'
  skctl simulate prod.sktrace --repetitions 10 --seed 1 -o ten`,
		Args: oneArg("TRACE"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"sktrace"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := opts.spec(args[0], time.Now())
			if err != nil {
				return usage(cmd, err)
			}
			return p.runSimulate(cmd.Context(), spec, opts)
		},
	}
	opts.addFlags(cmd)
	return cmd
}

func (p *program) runSimulate(ctx context.Context, spec simulation.Spec, opts simulateOptions) (err error) {
	scratch.SweepRuns(time.Now())
	output, err := reserveOutput(spec.Output, spec.Overwrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, output.Release()) }()
	spec.Version = p.version
	prepared, err := p.prepareTrace(ctx, &spec, opts.skel, opts.strict)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	if opts.repetitions > 1 {
		return p.runRepetitions(ctx, spec, opts)
	}
	path, err := skcluster.Find(spec.Time)
	if err != nil {
		return err
	}
	display := progress.New(p.streams.Err, p.displayOptions())
	done, err := skcluster.Simulate(ctx, skcluster.Options{
		Path: path,
		Spec: spec,
		Kill: p.kill,
		OnMessage: func(msg simulation.Message) {
			switch {
			case msg.Progress != nil:
				display.Update(*msg.Progress)
			case msg.Note != nil:
				display.Note(*msg.Note)
			}
		},
	})
	display.Close()
	if err != nil {
		return simulateError(spec, err)
	}
	return p.showResults(ctx, spec, done, opts)
}

func (p *program) displayOptions() progress.Options {
	return progress.Options{
		Live:   isTerminal(p.streams.Err) && os.Getenv("TERM") != "dumb",
		Colour: p.style(p.streams.Err).colour,
		Width:  func() int { return width(p.streams.Err) },
	}
}

// showResults prints the summary and where the results are.
func (p *program) showResults(ctx context.Context, spec simulation.Spec, done *simulation.Done, opts simulateOptions) error {
	out := p.streams.Out
	summary := done.Summary
	assessment := summary.Assessment()
	if err := summary.WriteText(out, width(out), p.style(out).colour); err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	if err := summary.Outcome.Deviations.WriteText(out, width(out), p.style(out).colour); err != nil {
		return err
	}
	report := filepath.Join(done.Output, results.ReportFile)
	if _, err := fmt.Fprintf(out, "report: %s\n", report); err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	if err := results.WriteAssessment(out, assessment, p.style(out).colour); err != nil {
		return err
	}
	if done.Misplaced != "" {
		return hint(fmt.Errorf("the results are in %s, because they could not be written to %s: %s", done.Output, spec.Output, done.Misplaced),
			"move them from there: temporary files are deleted at some time")
	}
	if done.Interrupted {
		return fmt.Errorf("%w: the results only cover what was replayed", errInterrupted)
	}
	if opts.open {
		if err := openInBrowser(ctx, report); err != nil {
			return err
		}
	}
	if d := summary.Outcome.Deviations; opts.strict && d != nil && d.Total > 0 {
		return fmt.Errorf("simulate %s: %s: %w", spec.TraceLabel(), assessment, errDeviations)
	}
	return nil
}

// simulateError returns an interrupted error if the user interrupted the simulation, and otherwise
// an error that names the trace.
func simulateError(spec simulation.Spec, err error) error {
	var failed *skcluster.FailedError
	switch {
	case errors.As(err, &failed) && failed.Interrupted:
		return fmt.Errorf("%w: nothing was replayed, so there are no results", errInterrupted)
	case errors.As(err, &failed):
		if !strings.Contains(err.Error(), spec.Trace) {
			err = fmt.Errorf("simulate %s: %w", spec.Trace, err)
		}
		if failed.Hint != "" {
			return hint(err, "%s", failed.Hint)
		}
		return err
	case errors.Is(err, skcluster.ErrKilled):
		return fmt.Errorf("%w: %w", errInterrupted, err)
	}
	return fmt.Errorf("simulate %s: %w", spec.Trace, err)
}

// reserveOutput creates the folder for the results, and checks before a long run whether it is
// writable.
func reserveOutput(dir string, overwrite bool) (*results.Reservation, error) {
	reservation, err := results.Reserve(dir, overwrite)
	var exists *results.ExistsError
	switch {
	case err == nil:
		return reservation, nil
	case errors.As(err, &exists) && exists.Results:
		return nil, hint(err, "use another --output, or --overwrite to replace the results in it")
	case errors.As(err, &exists):
		return nil, hint(err, "use another --output that does not exist yet")
	}
	return nil, hint(fmt.Errorf("--output %s: %w", dir, err), "use another --output that is writable")
}

// reason returns a file system's error without the path, which the message already has.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
