package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/traceinfo"
	"simkube.io/simkube/internal/words"
)

func newTraceInfo(p *program) *cobra.Command {
	var output string
	outputs := []string{outputText, outputJSON, outputYAML}
	cmd := &cobra.Command{
		Use:     "info TRACE",
		Aliases: []string{"stat", "summary"},
		Short:   "Show what is in a trace",
		Long: `info shows the time that a trace spans, its objects by kind, the maximum of simultaneous requests of its
pods, the lifecycles of pods, and whether its index and its lifecycles match its events.

The maximum of simultaneous requests is an upper estimate: it counts the pods that objects ask for, as
many as there are replicas, from when the objects were applied until they were deleted, including those of
Jobs and bare pods that had ended before. DaemonSets are not counted.

A mismatch is not an error, and the trace can be replayed. For instance, editing a trace's events leaves
its index out of date.

TRACE is a path, a URL, or - for the standard input.` + exitStatus,
		Example: `  skctl trace info prod.sktrace
  skctl trace info s3://traces/day.sktrace -o json | jq .peak`,
		Args:              oneArg("TRACE"),
		ValidArgsFunction: completeFiles(1, "sktrace"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(outputs, output) {
				return usage(cmd, fmt.Errorf("invalid --output %q: must be %s", output, words.Or(outputs...)))
			}
			return p.runTraceInfo(cmd.Context(), args[0], output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", outputText, "output format: text, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// namedInfo is the output for a trace.
type namedInfo struct {
	Trace string `json:"trace"`
	Bytes int64  `json:"bytes"`
	*traceinfo.Info
}

func (p *program) runTraceInfo(ctx context.Context, arg, output string) (err error) {
	in, err := p.openTrace(ctx, arg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	info, err := traceinfo.Collect(in, in.events(ctx))
	if err != nil {
		return err
	}
	in.progress.close()
	named := namedInfo{Trace: in.Name, Bytes: in.size(), Info: info}
	if output == outputText {
		_, err := p.streams.Out.Write(infoText(named, p.style(p.streams.Out)))
		return err
	}
	return printStructured(p.streams.Out, output, named)
}
