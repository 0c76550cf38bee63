package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/traceedit"
)

// traceMergeOptions are trace merge's flags.
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
		Short: "Make one trace of several",
		Long: `merge puts the events of traces in one order of time. Events of one second become one. Index, lifecycles, configuration and
what SimKube records beyond them are merged as well.

--align start moves all traces in time so that they begin when the first one does.

An object that several traces have in the same way is there once, as long as one of them has it. If they have it in different
ways at one time, that is an error, unless --on-conflict says who is right: first (the trace that has it first, until that
deletes it or ends) or last (whichever changes it last). The same goes for the configuration of a kind. A trace that begins when
another has ended may go on with its objects.

Two recordings of one cluster, one after the other, are joined with --join: what does not exist any more when the later one
begins is deleted then, and if they overlap, the later one counts from its beginning.

TRACE and --output are paths or URLs (s3://bucket/key, gs://..., azure://...; TRACE http(s)://... too, or - for the standard input).

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`,
		Example: `  skctl trace merge monday.sktrace tuesday.sktrace --join -o both.sktrace
  skctl trace merge shop.sktrace ci.sktrace --align start -o s3://traces/together.sktrace`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) < 2:
				return fmt.Errorf("%s: two traces or more are wanted", cmd.Name())
			case len(args) > traceedit.MaxInputs:
				return fmt.Errorf("%s: these are %d traces; %d can be merged at once", cmd.Name(), len(args), traceedit.MaxInputs)
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
	f.StringVarP(&opts.output, "output", "o", "", "where the new trace goes: a path or a URL (default the first TRACE's name with -merged, here)")
	f.StringVar(&opts.align, "align", alignNone, "how to move the traces in time: none, or start to have them begin together")
	f.BoolVar(&opts.join, "join", false, "the traces are recordings of one cluster, one after the other")
	f.StringVar(&opts.onConflict, "on-conflict", string(traceedit.ConflictError), "what to do about objects that differ: error, first or last")
	_ = cmd.MarkFlagFilename("output", "sktrace")
	_ = cmd.RegisterFlagCompletionFunc("align", cobra.FixedCompletions([]string{alignNone, alignStart}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("on-conflict", cobra.FixedCompletions([]string{
		string(traceedit.ConflictError), string(traceedit.ConflictFirst), string(traceedit.ConflictLast),
	}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// plan reads the flags, or gives everything that is wrong with them at once.
func (o *traceMergeOptions) plan(inputs []string) (traceedit.MergeOptions, error) {
	var problems []error
	plan := traceedit.MergeOptions{Align: o.align == alignStart, Join: o.join, OnConflict: traceedit.Conflict(o.onConflict)}
	if o.align != alignNone && o.align != alignStart {
		problems = append(problems, fmt.Errorf("--align %q: accepted are none and start", o.align))
	}
	switch plan.OnConflict {
	case traceedit.ConflictError, traceedit.ConflictFirst, traceedit.ConflictLast:
	default:
		problems = append(problems, fmt.Errorf("--on-conflict %q: accepted are error, first and last", o.onConflict))
	}
	if plan.Align && plan.Join {
		problems = append(problems, errors.New("--align start and --join: traces that begin together are not one after the other"))
	}
	standard := 0
	for _, input := range inputs {
		if input == standardInput {
			standard++
		}
	}
	if standard > 1 {
		problems = append(problems, errors.New("the standard input can be one of the traces only"))
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
		return hint(err, "--on-conflict first or last says whose counts")
	case errors.As(err, &different):
		return hint(err, "--on-conflict first or last says whose counts; --join takes the traces for recordings of one cluster, one after the other")
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
