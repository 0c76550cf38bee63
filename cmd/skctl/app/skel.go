package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/skel"
)

func newSkel(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "skel",
		Short: "Work on programs in SKEL, the language for changing traces",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSkelFormat(p), newSkelCheck(p))
	return cmd
}

// skelFiles completes names of programs.
func skelFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"skel"}, cobra.ShellCompDirectiveFilterFileExt
}

func newSkelFormat(p *program) *cobra.Command {
	var write, check bool
	cmd := &cobra.Command{
		Use:   "fmt [FILE...]",
		Short: "Format programs",
		Long: `fmt prints programs in their canonical format, with their comments. Without a FILE, or with -, it reads
the standard input. Programs with errors are not changed.

Exit status: 0 success, 1 failure, or with --check a file that is not formatted, 2 invalid usage,
130 interrupted.`,
		Example: `  skctl skel fmt sanitize.skel
  skctl skel fmt -w *.skel
  skctl skel fmt --check *.skel`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if write && check {
				return usage(cmd, errors.New("--write and --check: only one of them can be used"))
			}
			if len(args) == 0 {
				args = []string{standardInput}
			}
			return p.runSkelFormat(cmd.Context(), args, write, check)
		},
		ValidArgsFunction: skelFiles,
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the files instead of printing them")
	cmd.Flags().BoolVar(&check, "check", false, "print the names of files that are not formatted, and fail if there are any")
	return cmd
}

func (p *program) runSkelFormat(ctx context.Context, files []string, write, check bool) error {
	var problems []error
	unformatted := 0
	for _, file := range files {
		source, err := p.readProgram(ctx, file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		formatted, err := skel.FormatNamed(file, source)
		switch {
		case err != nil:
			problems = append(problems, err)
		case check && formatted != source:
			unformatted++
			fmt.Fprintln(p.streams.Out, printable.Line(file))
		case check:
		case write && file != standardInput:
			if formatted != source {
				problems = append(problems, p.replaceFile(ctx, file, formatted))
			}
		default:
			if err := p.printProgram(formatted); err != nil {
				problems = append(problems, fmt.Errorf("print %s: %w", file, err))
			}
		}
	}
	if unformatted > 0 {
		problems = append(problems, hint(fmt.Errorf("%d of %d files are not formatted", unformatted, len(files)), "to format them, run skctl skel fmt -w"))
	}
	return errors.Join(problems...)
}

// printProgram prints a SKEL program. The language has no escapes for most control characters, so
// on a terminal they are shown as visible text.
func (p *program) printProgram(text string) error {
	if isTerminal(p.streams.Out) {
		text = printable.Text(text)
	}
	_, err := io.WriteString(p.streams.Out, text)
	return err
}

// readProgram reads a file, or the standard input.
func (p *program) readProgram(ctx context.Context, file string) (string, error) {
	if file == standardInput {
		source, err := io.ReadAll(newPatientReader(ctx, p.streams.In))
		if err != nil {
			return "", fmt.Errorf("read the standard input: %w", err)
		}
		return string(source), nil
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the program %s: %w", file, reason(err))
	}
	return string(source), nil
}

// replaceFile replaces the content of a file atomically.
func (p *program) replaceFile(ctx context.Context, file, content string) (err error) {
	if resolved, linkErr := filepath.EvalSymlinks(file); linkErr == nil {
		file = resolved
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	out, err := p.create(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := os.WriteFile(out.Path, []byte(content), info.Mode().Perm()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return out.Commit(ctx)
}

func newSkelCheck(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Check programs for errors",
		Long: `check compiles programs and prints all their errors. Without a FILE, or with -, it reads the standard
input. It warns of escapes such as \n in strings, which other programs that read SKEL take for two
characters.

Exit status: 0 no errors, 1 errors, 2 invalid usage, 130 interrupted.`,
		Example:           `  skctl skel check *.skel`,
		ValidArgsFunction: skelFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{standardInput}
			}
			ctx := cmd.Context()
			var problems []error
			for _, file := range args {
				source, err := p.readProgram(ctx, file)
				if err == nil {
					var program *skel.Program
					if program, err = skel.CompileNamed(file, source); err == nil {
						if _, text := program.Warnings(); text != "" {
							p.notef("%s", text)
						}
					}
				}
				problems = append(problems, err)
			}
			return errors.Join(problems...)
		},
	}
}
