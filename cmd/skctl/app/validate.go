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
		Short: "Find what in a trace will not replay the way it was recorded",
		Long: `validate looks for what in a trace a replay will trip over: pods that need objects which the trace does not hold, kinds that no cluster
serves, and more; "validate print" lists the rules. It says where that is, and how to change the trace with SKEL, for its very kinds and
paths. --generate-skel writes that as a program for skctl transform.

TRACE is a path, a URL, or - for the standard input.

Exit status: 0 there are no errors (there may be warnings), 1 there are, or it failed, 2 wrong usage, 130 interrupted.`,
		Example: `  skctl validate day.sktrace
  skctl validate day.sktrace --generate-skel fix.skel; skctl transform day.sktrace fix.skel -o fixed.sktrace
  skctl validate s3://traces/prod/day.sktrace -o sarif --ignore E0002,E0004 > validate.sarif
  skctl validate explain E0104`,
		Args:              oneArg("TRACE"),
		ValidArgsFunction: cobra.FixedCompletions([]string{"sktrace"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := opts.plan()
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
	if opts.skel != "" {
		if err := p.writeSuggestion(ctx, report, file.Name, opts.skel); err != nil {
			return err
		}
	}
	if n := report.Errors(); n > 0 {
		err := fmt.Errorf("%s: %d errors were found", file.Name, n)
		if n == 1 {
			err = fmt.Errorf("%s: an error was found", file.Name)
		}
		if opts.skel != "" {
			return err
		}
		return hint(err, "skctl validate explain CODE says what they mean; --generate-skel FILE writes a program that mends the trace")
	}
	return nil
}

// checkTrace checks a file, and shows how far it is when that takes its time.
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

// shownFindings is how many findings of a rule are enough for a person.
const shownFindings = 20

func (p *program) writeReport(report *validate.Report, name string, opts validateOptions) error {
	out := p.streams.Out
	if opts.skel == standardInput {
		// The program has the standard output to itself.
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
		if severity == validate.Error {
			return style.error(s)
		}
		return style.wrap("33", s)
	}
	return report.WriteText(out, text)
}

// writeSuggestion writes the program that mends the trace.
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
