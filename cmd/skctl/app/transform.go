package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// transformOptions are the values of transform's flags.
type transformOptions struct {
	output, format, expression string
	dryRun, strict             bool
	changes                    int
}

func newTransform(p *program) *cobra.Command {
	var opts transformOptions
	cmd := &cobra.Command{
		Use:     "transform INPUT [SKEL_FILE]",
		Aliases: []string{"trans"},
		Short:   "Transform a trace with a SKEL program",
		Long: `transform runs a program in SKEL, the language for transforming traces, on a trace and writes the
resulting trace. INPUT and --output are paths or URLs (s3://bucket/key, gs://..., azure://...; INPUT also
http(s)://...). INPUT or SKEL_FILE may be - for the standard input. The output is written completely or not
at all: after an error in the program, a field that a command cannot set, a damaged trace or an interrupt,
an existing file is unchanged.

A command that changes nothing is a warning that says what in it is not in the trace; --strict makes it
an error.

--dry-run writes nothing, and shows the first changes and what every command would do.

The language: remove(status); delete(metadata.namespace == "ci"); modify(kind == "Deployment", spec.replicas = 3);
and more, see docs/skel.md.

Exit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted.`,
		Example: `  skctl transform prod.sktrace sanitize.skel -o shared.sktrace
  skctl transform prod.sktrace sanitize.skel --dry-run
  skctl transform day.sktrace -e 'scale(metadata.namespace == "shop", 2);' -o s3://traces/double.sktrace`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return fmt.Errorf("%s: INPUT is missing", cmd.Name())
			case len(args) > 2:
				return fmt.Errorf("%s: too many arguments: must be INPUT and a SKEL_FILE, got %d: %s", cmd.Name(), len(args), strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(args); err != nil {
				return usage(cmd, err)
			}
			file := ""
			if len(args) > 1 {
				file = args[1]
			}
			return p.runTransform(cmd.Context(), args[0], file, opts, time.Now())
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return []string{"sktrace"}, cobra.ShellCompDirectiveFilterFileExt
			case 1:
				return []string{"skel"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&opts.output, "output", "o", "", "path or URL of the new trace (default the input's name and the time)")
	f.StringVarP(&opts.expression, "expression", "e", "", "the program itself, instead of a SKEL_FILE")
	f.BoolVar(&opts.dryRun, "dry-run", false, "write nothing; show the first changes and the counts")
	f.BoolVar(&opts.strict, "strict", false, "fail, and write nothing, if a command changes nothing")
	f.IntVar(&opts.changes, "changes", 10, "number of changes that --dry-run shows")
	f.StringVar(&opts.format, "summary", "text", "format of the summary: text, json or yaml")
	_ = cmd.MarkFlagFilename("output", "sktrace")
	_ = cmd.RegisterFlagCompletionFunc("expression", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("changes", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("summary", cobra.FixedCompletions([]string{"text", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *transformOptions) check(args []string) error {
	var problems []error
	switch {
	case len(args) < 2 && o.expression == "":
		problems = append(problems, errors.New("transform: a SKEL_FILE or --expression is required"))
	case len(args) == 2 && o.expression != "":
		problems = append(problems, fmt.Errorf("transform: SKEL_FILE %s and --expression: only one of them can be used", args[1]))
	}
	if len(args) == 2 && args[0] == standardInput && args[1] == standardInput {
		problems = append(problems, errors.New("only one of the trace and the program can be the standard input"))
	}
	switch o.format {
	case "text", "json", "yaml":
	default:
		problems = append(problems, fmt.Errorf("invalid --summary %q: must be text, json or yaml", o.format))
	}
	if o.changes < 0 {
		problems = append(problems, fmt.Errorf("invalid --changes %d: must be 0 or more", o.changes))
	}
	if o.dryRun && o.output != "" {
		problems = append(problems, errors.New("--output and --dry-run: only one of them can be used"))
	}
	return errors.Join(problems...)
}

// compileProgram compiles the program in a file or on the command line.
func compileProgram(path, expression string) (*skel.Program, error) {
	if path == "" {
		return skel.CompileNamed("--expression", expression)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the program %s: %w", path, reason(err))
	}
	return skel.CompileNamed(path, string(source))
}

// transformProgram compiles the program that transform runs.
func (p *program) transformProgram(ctx context.Context, file, expression string) (*skel.Program, error) {
	if file != standardInput {
		return compileProgram(file, expression)
	}
	source, err := p.readProgram(ctx, file)
	if err != nil {
		return nil, err
	}
	return skel.CompileNamed(file, source)
}

// transformedName returns the default name of the output: beside its input, or in the working
// directory if that folder is not writable.
func transformedName(input string, now time.Time) string {
	if strings.HasPrefix(input, "http://") || strings.HasPrefix(input, "https://") {
		input = newTraceName(input, "")
	}
	return input + "." + now.Format("20060102150405")
}

func (p *program) runTransform(ctx context.Context, input, file string, opts transformOptions, now time.Time) (err error) {
	program, err := p.transformProgram(ctx, file, opts.expression)
	if err != nil {
		return err
	}
	if opts.output == "" {
		if input == standardInput && !opts.dryRun {
			return &usageError{err: errors.New("--output is required: there is no default for the standard input")}
		}
		opts.output = transformedName(input, now)
	}
	var out *outputFile
	if !opts.dryRun {
		if out, err = p.create(ctx, opts.output); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.Close()) }()
	}
	in, err := p.fetch(ctx, input)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	summary, err := p.transform(ctx, program, in, out, opts)
	if err != nil {
		return err
	}
	unmatched, err := p.unmatched(ctx, program, summary, in)
	if err != nil {
		return err
	}
	if len(unmatched) > 0 && opts.strict {
		return fmt.Errorf("%s: %w", in.Name, unmatchedError(unmatched))
	}
	for _, u := range unmatched {
		p.warnf("%s", unmatchedText(u.Line, u.Command, u.Hint))
	}
	if out != nil {
		if err := out.Commit(ctx); err != nil {
			return err
		}
	}
	return p.printTransformed(summary, in, out, opts)
}

// transform runs the program on a file. It writes the output to another one, or discards it if out
// is nil.
func (p *program) transform(ctx context.Context, program *skel.Program, in *inputFile, out *outputFile, opts transformOptions) (_ *skel.Summary, err error) {
	file, err := trace.Open(in.Path)
	if err != nil {
		return nil, renamed(err, in)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	bar := progress.NewBar(p.streams.Err, "transforming "+in.Name, "events", int64(file.Len()), p.displayOptions())
	defer bar.Close()
	run := skel.RunOptions{Progress: func(events int) { bar.Set(int64(events)) }}
	create := func(*trace.Config, trace.WriterOptions) (skel.Output, error) { return discard{}, nil }
	if out == nil {
		changes := p.streams.Out
		if isTerminal(changes) {
			// The progress bar would be drawn over lines that are printed meanwhile.
			var kept bytes.Buffer
			changes = &kept
			defer func() {
				bar.Close()
				_, printErr := kept.WriteTo(p.streams.Out)
				err = errors.Join(err, printErr)
			}()
		}
		printed := &firstError{w: changes}
		defer func() { err = errors.Join(err, printed.err) }()
		shown := &changePrinter{out: printed, style: p.style(p.streams.Out), left: opts.changes}
		if opts.format == "text" {
			run.OnChange = shown.print
		}
	} else {
		var writer *trace.FileWriter
		defer func() {
			if writer != nil {
				err = errors.Join(err, writer.Close())
			}
		}()
		create = func(config *trace.Config, options trace.WriterOptions) (skel.Output, error) {
			var err error
			writer, err = trace.Create(out.Path, config, options)
			return writer, err
		}
	}
	summary, err := program.Run(ctx, &file.Reader, create, run)
	var format *trace.FormatError
	if errors.As(err, &format) {
		err = fmt.Errorf("%s: %w", in.Name, err)
	}
	return summary, err
}

// unmatched returns the commands that changed nothing. It reads the trace again if there are any.
func (p *program) unmatched(ctx context.Context, program *skel.Program, summary *skel.Summary, in *inputFile) (_ []skel.Unmatched, err error) {
	if !program.HasUnmatched(summary) {
		return nil, nil
	}
	file, err := trace.Open(in.Path)
	if err != nil {
		return nil, renamed(err, in)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	unmatched, err := program.FindUnmatched(ctx, summary, file.Events())
	if err != nil {
		return nil, renamed(err, in)
	}
	return unmatched, nil
}

// unmatchedText says that a command changed nothing.
func unmatchedText(line int, command, hint string) string {
	text := fmt.Sprintf("line %d changes nothing: %s", line, words.Clip(printable.Line(command), maxCommandText))
	if hint != "" {
		text += " (" + printable.Line(hint) + ")"
	}
	return text
}

// unmatchedError is the error for commands that changed nothing.
func unmatchedError(unmatched []skel.Unmatched) error {
	var problems []error
	for _, u := range unmatched {
		problems = append(problems, errors.New(unmatchedText(u.Line, u.Command, u.Hint)))
	}
	return errors.Join(problems...)
}

// renamed replaces the path of a fetched file in an error by the name that the user knows.
func renamed(err error, in *inputFile) error {
	if in.fetched != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	return err
}

// discard discards the output.
type discard struct{}

func (discard) WriteEvent(*trace.Event) error { return nil }
func (discard) Finish(*trace.Tail) error      { return nil }

func (p *program) printTransformed(s *skel.Summary, in *inputFile, out *outputFile, opts transformOptions) error {
	if opts.format != "text" {
		return printStructured(p.streams.Out, opts.format, s)
	}
	if out == nil {
		if err := p.printf("%s would become:\n", in.Name); err != nil {
			return err
		}
	}
	err := writeTransformSummary(p.streams.Out, s)
	if out != nil {
		p.notef("written to %s", out.Name)
	}
	return err
}
