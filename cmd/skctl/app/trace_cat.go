package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/tracejson"
)

// traceCatOptions are the values of trace cat's flags.
type traceCatOptions struct {
	output string
	all    bool
}

func newTraceCat(p *program) *cobra.Command {
	var opts traceCatOptions
	cmd := &cobra.Command{
		Use:     "cat TRACE",
		Aliases: []string{"print", "to-json"},
		Short:   "Print a trace as JSON, one event per line",
		Long: `cat prints the events of a trace, each as one line of JSON:

  {"ts": 1700000000, "applied_objs": [MANIFEST, ...], "deleted_objs": [MANIFEST, ...]}

With --all it prints everything in the trace: first a line with the version and the config, then the
events, and then lines with the index, the lifecycles, and SimKube's additions. skctl trace from-json
converts that back to the same trace, byte for byte. docs/trace-tools.md describes the format.

TRACE is a path, a URL, or - for the standard input.` + exitStatus,
		Example: `  skctl trace cat prod.sktrace | jq -c 'select(.ts > 1700000000) | .deleted_objs[].metadata.name'
  skctl trace cat prod.sktrace --all | sed 's/old-registry/new-registry/g' | skctl trace from-json -o changed.sktrace
  skctl trace cat s3://traces/day.sktrace -o yaml | less`,
		Args:              oneArg("TRACE"),
		ValidArgsFunction: completeFiles(1, "sktrace"),
		RunE: func(cmd *cobra.Command, args []string) error {
			format := tracejson.JSON
			switch opts.output {
			case outputJSON:
			case outputYAML:
				format = tracejson.YAML
			default:
				return usage(cmd, fmt.Errorf("invalid --output %q: must be json or yaml", opts.output))
			}
			return p.runTraceCat(cmd.Context(), args[0], format, opts.all)
		},
	}
	cmd.Flags().StringVarP(&opts.output, "output", "o", outputJSON, "output format: json (an object per line) or yaml (a document per event)")
	cmd.Flags().BoolVarP(&opts.all, "all", "a", false, "also print everything except the events")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{outputJSON, outputYAML}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) runTraceCat(ctx context.Context, arg string, format tracejson.Format, all bool) (err error) {
	in, err := p.openTrace(ctx, arg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	in.showsNone(isTerminal(p.streams.Out))
	out := tracejson.NewEncoder(p.streams.Out, format)
	// What could be read is printed even if the rest is damaged.
	return errors.Join(catTrace(ctx, in, out, all), out.Flush())
}

func catTrace(ctx context.Context, in *traceInput, out *tracejson.Encoder, all bool) error {
	if all {
		if err := out.Header(in.Config()); err != nil {
			return err
		}
	}
	for event, err := range in.events(ctx) {
		if err != nil {
			return err
		}
		if err := out.Event(event); err != nil {
			return err
		}
	}
	tail, err := in.Tail()
	if err != nil || !all {
		return err
	}
	return out.Tail(tail)
}
