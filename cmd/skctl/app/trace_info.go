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
		Long: `info reads a trace and shows the time it spans, its objects by kind, the most its pods asked for at one time,
how long pods ran, and whether its index and its lifecycles agree with its events.

What is asked for at one time is an upper estimate: the pods that objects call for, as many as there are replicas, from when
they were applied until they were deleted, also those of Jobs and bare pods that had ended before. DaemonSets are left out.

That something does not agree is no failure: the trace can be replayed. Who edits the events of a trace leaves its index
behind, for instance.

TRACE is a path, a URL, or - for the standard input.` + exitStatus,
		Example: `  skctl trace info prod.sktrace
  skctl trace info s3://traces/day.sktrace -o json | jq .peak`,
		Args:              oneArg("TRACE"),
		ValidArgsFunction: completeFiles(1, "sktrace"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(outputs, output) {
				return usage(cmd, fmt.Errorf("--output %q: accepted are %s", output, words.And(outputs...)))
			}
			return p.runTraceInfo(cmd.Context(), args[0], output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", outputText, "how to print: text, json or yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// namedInfo is what is printed of a trace.
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
