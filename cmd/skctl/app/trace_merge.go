package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/traceedit"
)

// traceMergeOptions are the values of trace merge's flags.
type traceMergeOptions struct {
	output, align, onConflict string
	join                      bool
}

// The values of --align.
const (
	alignNone  = "none"
	alignStart = "start"
)

func newTraceMerge(p *program) *cobra.Command {
	var opts traceMergeOptions
	cmd := &cobra.Command{
		Use:   "merge TRACE TRACE...",
		Short: "Merge traces",
		Long: `merge merges the events of traces in the order of their times. Events of the same second become one.
Index, lifecycles, configuration and SimKube's additions are merged as well.

--align start shifts all traces in time so that they begin with the first.

An object that is equal in several traces exists once, for as long as one of them has it. If it differs
at the same time, that is an error, unless --on-conflict is first (the trace that has the object first
counts until it deletes it or ends) or last (the last change counts). The same applies to the
configuration of a kind. A trace that begins after another has ended may continue with its objects.

Consecutive recordings of one cluster are joined with --join: objects that do not exist any more when
the later one begins are deleted then, and if the recordings overlap, the later one counts from its
beginning.

TRACE and --output are paths or URLs (s3://bucket/key, gs://..., azure://...; TRACE also http(s)://...
or - for the standard input).

Exit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted.`,
		Example: `  skctl trace merge monday.sktrace tuesday.sktrace --join -o both.sktrace
  skctl trace merge shop.sktrace ci.sktrace --align start -o s3://traces/together.sktrace`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) < 2:
				return fmt.Errorf("%s: must be at least two traces", cmd.Name())
			case len(args) > traceedit.MaxInputs:
				return fmt.Errorf("%s: too many traces: got %d, must be at most %d", cmd.Name(), len(args), traceedit.MaxInputs)
			}
			return nil
		},
		ValidArgsFunction: completeFiles(0, "sktrace"),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := opts.plan(args)
			if err != nil {
				return usage(cmd, err)
			}
			return p.runTraceMerge(cmd.Context(), args, plan, opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&opts.output, "output", "o", "", "path or URL of the new trace (default the first TRACE's name with -merged, in this folder)")
	f.StringVar(&opts.align, "align", alignNone, "how to shift the traces in time: none, or start to make them begin together")
	f.BoolVar(&opts.join, "join", false, "the traces are recordings of one cluster, one after the other")
	f.StringVar(&opts.onConflict, "on-conflict", string(traceedit.ConflictError), "how to resolve objects that differ: error, first or last")
	_ = cmd.MarkFlagFilename("output", "sktrace")
	_ = cmd.RegisterFlagCompletionFunc("align", cobra.FixedCompletions([]string{alignNone, alignStart}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("on-conflict", cobra.FixedCompletions([]string{
		string(traceedit.ConflictError), string(traceedit.ConflictFirst), string(traceedit.ConflictLast),
	}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// plan parses the flags, and returns all their errors at once.
func (o *traceMergeOptions) plan(inputs []string) (traceedit.MergeOptions, error) {
	var problems []error
	plan := traceedit.MergeOptions{Align: o.align == alignStart, Join: o.join, OnConflict: traceedit.Conflict(o.onConflict)}
	if o.align != alignNone && o.align != alignStart {
		problems = append(problems, fmt.Errorf("invalid --align %q: must be none or start", o.align))
	}
	switch plan.OnConflict {
	case traceedit.ConflictError, traceedit.ConflictFirst, traceedit.ConflictLast:
	default:
		problems = append(problems, fmt.Errorf("invalid --on-conflict %q: must be error, first or last", o.onConflict))
	}
	if plan.Align && plan.Join {
		problems = append(problems, errors.New("--align start and --join: only one of them can be used"))
	}
	standard := 0
	for _, input := range inputs {
		if input == standardInput {
			standard++
		}
	}
	if standard > 1 {
		problems = append(problems, errors.New("only one of the traces can be the standard input"))
	}
	var err error
	if o.output, err = checkNewTrace(o.output, inputs, "-merged"); err != nil {
		problems = append(problems, err)
	}
	return plan, errors.Join(problems...)
}

func (p *program) runTraceMerge(ctx context.Context, args []string, plan traceedit.MergeOptions, opts traceMergeOptions) (err error) {
	out, err := p.create(ctx, opts.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	var files []*inputFile
	defer func() { err = errors.Join(err, closeAll(files)) }()
	var inputs []traceedit.Input
	for _, arg := range args {
		in, err := p.fetch(ctx, arg)
		if err != nil {
			return err
		}
		files = append(files, in)
		inputs = append(inputs, traceedit.Input{Path: in.Path, Name: in.Name})
	}
	summary, err := func() (traceedit.Summary, error) {
		transfer := p.slowTransfer(fmt.Sprintf("reading %d traces", len(inputs)))
		defer transfer.close()
		plan.Progress = transfer.add
		return traceedit.Merge(ctx, inputs, out.Path, plan)
	}()
	var different *traceedit.DifferentError
	switch {
	case errors.As(err, &different) && different.Time == 0:
		return hint(err, "choose one with --on-conflict first or last")
	case errors.As(err, &different):
		return hint(err, "choose one with --on-conflict first or last; use --join for consecutive recordings of one cluster")
	case err != nil:
		return err
	}
	if err := out.Commit(ctx); err != nil {
		return err
	}
	p.printNotes(summary.Notes)
	p.printNewTrace(out, summary.Start, summary.End, summary.Events, summary.Applied+summary.Deleted)
	return nil
}
