// Package app is skctl's command line: flags, wiring and what is printed. The work is
// done by the packages it calls.
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

// Streams are what a command reads from and writes to: results to Out, everything else
// to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Interrupts delivers the user's wishes to stop: at the first, a command cleans up
	// and ends; at the second, it ends. Nil: none come.
	Interrupts <-chan os.Signal
}

// program is what all commands share.
type program struct {
	streams Streams
	version string
	// name is how the user calls the program: skctl, or "kubectl simkube".
	name      string
	verbosity string
	logger    *slog.Logger
	// kill is closed at the second interrupt.
	kill chan struct{}
}

// Run runs the command line, whose first argument is the program's own name, and returns
// the exit code. It prints errors itself.
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

// programName tells how a user calls the program. kubectl runs its plugins under the
// name of their file.
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
		Short: "Replay what happened in a Kubernetes cluster, and see what would have",
		Long: `skctl replays a trace of what happened in a Kubernetes cluster against a real control
plane with simulated nodes and pods, and reports what the control plane made of it.

It exits with 0 when all is done, 1 when something failed, 2 when the command line cannot be meant,
130 when it was interrupted, and 141 when nobody reads its output any more.`,
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
	root.SetIn(p.streams.In)
	root.SetOut(p.streams.Out)
	root.SetErr(p.streams.Err)
	root.SetFlagErrorFunc(usage)
	root.PersistentFlags().StringVarP(&p.verbosity, "verbosity", "v", "warn", "what to log: error, warn, info or debug")
	_ = root.RegisterFlagCompletionFunc("verbosity", cobra.FixedCompletions([]string{"error", "warn", "info", "debug"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(
		newSimulate(p),
		newCluster(p),
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

// wrapArgs makes wrong arguments of any command wrong usage.
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

// oneArg accepts one argument, and says what it is if there is none.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 1:
			return nil
		case 0:
			return fmt.Errorf("%s: %s is missing", cmd.Name(), what)
		}
		return fmt.Errorf("%s: one %s is wanted, these are %d: %s", cmd.Name(), what, len(args), strings.Join(args, " "))
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
		return &usageError{err: fmt.Errorf("verbosity %q: accepted are error, warn, info and debug", p.verbosity)}
	}
	p.logger = slog.New(slog.NewTextHandler(printable.NewWriter(p.streams.Err), &slog.HandlerOptions{Level: level}))
	return nil
}
