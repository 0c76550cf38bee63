// Package app is skctl's command line: its flags, wiring and output. Other packages do the work.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
)

// Streams are what a command reads from and writes to. Results go to Out, everything else to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Interrupts delivers the user's interrupts. At the first, a command cleans up and ends; at the
	// second, it ends at once. Nil means that there are none.
	Interrupts <-chan os.Signal
}

// program holds what all commands share.
type program struct {
	streams Streams
	version string
	// name is how the program was called: skctl, or "kubectl simkube".
	name      string
	verbosity string
	logger    *slog.Logger
	// kill is closed at the second interrupt.
	kill chan struct{}
}

// Run runs the command line, whose first argument is the program's own name, and returns the exit
// code. It prints errors itself.
func Run(ctx context.Context, streams Streams, version string, args []string) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer guardPipes(&streams, cancel)()
	p := &program{streams: streams, version: version, name: programName(args), kill: make(chan struct{})}
	finished := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watchInterrupts(cancel, finished)
	}()
	defer func() {
		close(finished)
		<-watched
		cancel(nil)
	}()

	root := newRoot(p)
	root.SetArgs(args[min(1, len(args)):])
	err := root.ExecuteContext(ctx)
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errInterrupted) {
		err = errInterrupted
	}
	code := exitCode(ctx, err)
	if err != nil && code != exitUnread {
		p.printError(err)
	}
	return code
}

func (p *program) watchInterrupts(cancel context.CancelCauseFunc, finished <-chan struct{}) {
	for n := 1; ; n++ {
		select {
		case <-finished:
			return
		case <-p.streams.Interrupts:
		}
		switch n {
		case 1:
			cancel(errInterrupted)
		case 2:
			close(p.kill)
		}
	}
}

// programName returns how the program was called. kubectl runs a plugin under the name of its file.
func programName(args []string) string {
	if len(args) == 0 {
		return "skctl"
	}
	base := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if plugin, ok := strings.CutPrefix(base, "kubectl-"); ok {
		return "kubectl " + strings.ReplaceAll(plugin, "_", "-")
	}
	return "skctl"
}

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "skctl",
		Short: "Replay what happened in a Kubernetes cluster, with changes",
		Long: `skctl replays a trace of what happened in a Kubernetes cluster on a real control plane with
simulated nodes and pods, and reports how the control plane reacted.

Exit codes: 0 success, 1 failure, 2 invalid usage, 3 simulate found deviations with --strict, 130
interrupted, 141 the reader of the output is gone.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		CompletionOptions: cobra.CompletionOptions{
			DisableDefaultCmd: true,
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return p.startLogging()
		},
	}
	if p.name != root.Use {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: p.name}
	}
	root.Version = p.versionLine()
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().Bool("version", false, "print the version")
	root.SetIn(p.streams.In)
	root.SetOut(p.streams.Out)
	root.SetErr(p.streams.Err)
	root.SetFlagErrorFunc(usage)
	root.PersistentFlags().StringVarP(&p.verbosity, "verbosity", "v", "warn", "level of the log: error, warn, info or debug")
	_ = root.RegisterFlagCompletionFunc("verbosity", cobra.FixedCompletions([]string{"error", "warn", "info", "debug"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(
		newSimulate(p),
		newCluster(p),
		newNodes(p),
		newRun(p),
		newGet(p),
		newWait(p),
		newLogs(p),
		newPause(p),
		newResume(p),
		newDelete(p),
		newExport(p),
		newTrace(p),
		newValidate(p),
		newTransform(p),
		newSkel(p),
		newXray(p),
		newTracerRBAC(p),
		newCRD(p),
		newCompletions(p),
		newVersion(p),
	)
	wrapArgs(root)
	return root
}

// wrapArgs turns errors about the arguments of any command into usage errors.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage(cmd, err)
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		wrapArgs(child)
	}
}

// oneArg accepts exactly one argument, and describes it in its errors.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 1:
			return nil
		case 0:
			return fmt.Errorf("%s: %s is missing", cmd.Name(), what)
		}
		return fmt.Errorf("%s: too many arguments: must be one %s, got %d: %s", cmd.Name(), what, len(args), strings.Join(args, " "))
	}
}

func (p *program) startLogging() error {
	var level slog.Level
	switch strings.ToLower(p.verbosity) {
	case "error", "warn", "info", "debug":
		if err := level.UnmarshalText([]byte(p.verbosity)); err != nil {
			return err
		}
	default:
		return &usageError{err: fmt.Errorf("invalid verbosity %q: must be error, warn, info or debug", p.verbosity)}
	}
	p.logger = slog.New(slog.NewTextHandler(printable.NewWriter(p.streams.Err), &slog.HandlerOptions{Level: level}))
	return nil
}
