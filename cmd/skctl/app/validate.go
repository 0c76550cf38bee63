package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/validate"
	"simkube.io/simkube/trace"
)

func newValidate(p *program) *cobra.Command {
	cmd := newValidateCheck(p)
	cmd.Use = "validate TRACE"
	cmd.Aliases = []string{"val"}
	check := newValidateCheck(p)
	check.Use = "check TRACE"
	cmd.AddCommand(check, newValidateExplain(p), newValidatePrint(p))
	return cmd
}

func newValidateCheck(p *program) *cobra.Command {
	var opts validateOptions
	cmd := &cobra.Command{
		Short: "Check a trace for problems in a replay",
		Long: `validate checks a trace for problems in a replay: pods that the cluster of the replay refuses, kinds that
no cluster serves, objects that are left out, and more; "validate print" lists the rules. It prints where
each problem is, and how to fix it with SKEL for the kinds and paths in this trace. --generate-skel writes
a program for skctl transform that does so for errors and warnings.

An error means that objects or pods are missing in a replay, a warning that pods may differ. What is only
info has no effect on pods. TRACE is a path, a URL, or - for the standard input.

Exit status: 0 no errors (there may be warnings), 1 errors, or a failure, 2 invalid usage, 130 interrupted.`,
		Example: `  skctl validate day.sktrace
  skctl validate day.sktrace --generate-skel fix.skel; skctl transform day.sktrace fix.skel -o fixed.sktrace
  skctl validate check day.sktrace --generate-skel
  skctl validate s3://traces/prod/day.sktrace -o sarif --ignore E0002,E0004 > validate.sarif
  skctl validate explain E0104`,
		Args:              func(cmd *cobra.Command, args []string) error { return oneArg("TRACE")(cmd, opts.skel.take(args, 1)) },
		ValidArgsFunction: cobra.FixedCompletions([]string{"sktrace"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE: func(cmd *cobra.Command, args []string) error {
			args = opts.skel.take(args, 1)
			problem := opts.skel.resolve(args[0])
			plan, err := opts.plan()
			err = errors.Join(problem, err)
			if err != nil {
				return usage(cmd, err)
			}
			return p.runValidate(cmd.Context(), args[0], opts, plan)
		},
	}
	opts.addFlags(cmd)
	return cmd
}

func (p *program) runValidate(ctx context.Context, arg string, opts validateOptions, plan validate.Options) (err error) {
	file, err := p.fetch(ctx, arg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	report, err := p.checkTrace(ctx, file, plan)
	if err != nil {
		return fmt.Errorf("validate %s: %w", file.Name, err)
	}
	if err := p.writeReport(report, file.Name, opts); err != nil {
		return err
	}
	if opts.skel.path != "" {
		if err := p.writeSuggestion(ctx, report, file.Name, opts.skel.path); err != nil {
			return err
		}
	}
	if n := report.Errors(); n > 0 {
		err := fmt.Errorf("%s: found %d errors", file.Name, n)
		if n == 1 {
			err = fmt.Errorf("%s: found an error", file.Name)
		}
		if opts.skel.path != "" {
			return err
		}
		return hint(err, "to explain them, run skctl validate explain CODE; to write a program that fixes the trace, use --generate-skel FILE")
	}
	return nil
}

// checkTrace checks a file, and shows its progress if that takes long.
func (p *program) checkTrace(ctx context.Context, file *inputFile, plan validate.Options) (*validate.Report, error) {
	in, err := os.Open(file.Path)
	if err != nil {
		return nil, reason(err)
	}
	defer in.Close()
	slow := p.slowTransfer("checking " + file.Name)
	defer slow.close()
	reader, err := trace.NewReader(&interruptibleReader{ctx: ctx, r: in, read: slow.add})
	if err == nil {
		var report *validate.Report
		if report, err = validate.Check(ctx, reader, plan); err == nil {
			return report, nil
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, err
}

// shownFindings is how many findings of a rule are printed.
const shownFindings = 20

func (p *program) writeReport(report *validate.Report, name string, opts validateOptions) error {
	out := p.streams.Out
	if opts.skel.path == standardInput {
		// Only the program goes to the standard output.
		out = p.streams.Err
	}
	switch opts.output {
	case formatJSON:
		return report.WriteJSON(out, name)
	case formatSARIF:
		return report.WriteSARIF(out, name, p.version)
	}
	text := validate.TextOptions{Max: shownFindings}
	if opts.all {
		text.Max = 0
	}
	style := p.style(out)
	text.Bold = func(s string) string { return style.wrap("1", s) }
	text.Dim = style.dim
	text.Bad = func(severity validate.Severity, s string) string {
		switch severity {
		case validate.Error:
			return style.error(s)
		case validate.Info:
			return style.dim(s)
		default:
			return style.wrap("33", s)
		}
	}
	return report.WriteText(out, text)
}

// writeSuggestion writes the program that fixes the trace.
func (p *program) writeSuggestion(ctx context.Context, report *validate.Report, name, to string) error {
	text := report.GenerateSKEL(filepath.Base(name))
	if to == standardInput {
		return p.printProgram(text)
	}
	out, err := p.create(ctx, to)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := os.WriteFile(out.Path, []byte(text), 0o666); err != nil {
		return fmt.Errorf("write %s: %w", out.Name, reason(err))
	}
	return out.Commit(ctx)
}
