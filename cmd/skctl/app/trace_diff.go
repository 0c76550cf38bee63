package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/tracediff"
)

// errDifferent is returned by trace diff for traces that differ.
var errDifferent = errors.New("the traces differ")

// traceDiffOptions are the values of trace diff's flags.
type traceDiffOptions struct {
	output, align string
	stat          bool
}

// diffOutputs returns the values of --output.
func diffOutputs() []string { return []string{"text", "json", "yaml"} }

func newTraceDiff(p *program) *cobra.Command {
	var opts traceDiffOptions
	cmd := &cobra.Command{
		Use:   "diff TRACE TRACE",
		Short: "Show the differences between two traces",
		Long: `diff shows the differences between two traces: the configuration, the objects and when they change, the
index, the lifecycles of pods, and SimKube's additions. For objects it shows the lines in which their
last manifests differ.

The encoding does not matter, nor does the order of changes of different objects within a second.

--stat shows one line for each object. --align start shifts the second trace in time so that it begins
with the first.

A TRACE is a path or a URL (s3://bucket/key, gs://..., azure://..., http(s)://...), or - for the standard
input.

Exit status: 0 the traces are equal, 1 they differ, or an error with a message, 2 invalid usage,
130 interrupted.`,
		Example: `  skctl trace diff before.sktrace after.sktrace
  skctl trace diff monday.sktrace s3://traces/tuesday.sktrace --align start --stat
  skctl trace diff a.sktrace b.sktrace -o json | jq '.objects[].name'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("%s: must be two traces, got %d", cmd.Name(), len(args))
			}
			return nil
		},
		ValidArgsFunction: completeFiles(2, "sktrace"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(args); err != nil {
				return usage(cmd, err)
			}
			return p.runTraceDiff(cmd.Context(), args, opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&opts.output, "output", "o", "text", "output format: text, json or yaml")
	f.BoolVar(&opts.stat, "stat", false, "print only how much differs")
	f.StringVar(&opts.align, "align", alignNone, "how to shift the second trace in time: none, or start to make it begin with the first")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(diffOutputs(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("align", cobra.FixedCompletions([]string{alignNone, alignStart}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *traceDiffOptions) check(args []string) error {
	var problems []error
	if !slices.Contains(diffOutputs(), o.output) {
		problems = append(problems, fmt.Errorf("invalid --output %q: must be text, json or yaml", o.output))
	}
	if o.align != alignNone && o.align != alignStart {
		problems = append(problems, fmt.Errorf("invalid --align %q: must be none or start", o.align))
	}
	if args[0] == standardInput && args[1] == standardInput {
		problems = append(problems, errors.New("only one of the traces can be the standard input"))
	}
	return errors.Join(problems...)
}

func (p *program) runTraceDiff(ctx context.Context, args []string, opts traceDiffOptions) (err error) {
	var files []*inputFile
	defer func() { err = errors.Join(err, closeAll(files)) }()
	var inputs []tracediff.Input
	for _, arg := range args {
		in, err := p.fetch(ctx, arg)
		if err != nil {
			return err
		}
		files = append(files, in)
		inputs = append(inputs, tracediff.Input{Path: in.Path, Name: in.Name})
	}
	report, err := func() (*tracediff.Report, error) {
		transfer := p.slowTransfer("comparing traces")
		defer transfer.close()
		return tracediff.Compare(ctx, inputs[0], inputs[1], tracediff.Options{Align: opts.align == alignStart, Progress: transfer.add})
	}()
	if err != nil {
		return err
	}
	if opts.output == "text" {
		printer := &diffPrinter{out: p.streams.Out, style: p.style(p.streams.Out)}
		if opts.stat {
			printer.stat(report)
		} else {
			printer.differences(report)
		}
		err = printer.err
	} else {
		if opts.stat {
			for i := range report.Objects {
				report.Objects[i].Diff = ""
			}
		}
		err = printStructured(p.streams.Out, opts.output, report)
	}
	if err == nil && !report.Same {
		return errDifferent
	}
	return err
}
