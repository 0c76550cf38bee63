package app

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/words"
)

func newTraceFromJSON(p *program) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "from-json [FILE] -o TRACE",
		Aliases: []string{"fromjson"},
		Short:   "Convert JSON to a trace",
		Long: `from-json creates a trace from JSON: from the output of skctl trace cat --all, from lines of events
alone, or from one object with the keys version, config, events, index and pod_lifecycles.
docs/trace-tools.md describes the format.

If there is no config, it is derived from the kinds that occur; if there is no index, it is derived from
the events. An input with a version must be complete: without the index or the lifecycles it was
truncated. Without lifecycles, which only skctl trace cat --all prints, pods of a replay run until they
are deleted, and from-json warns.

FILE is a path, a URL, or - for the standard input, which is the default. It may be compressed with
gzip or zstd. The trace appears under its
name only when it is complete.` + exitStatus,
		Example: `  skctl trace cat --all prod.sktrace | jq -c 'del(.applied_objs[]?.metadata.annotations)' | skctl trace from-json -o bare.sktrace
  echo '{"ts":0,"applied_objs":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}]}' | skctl trace from-json -o small.sktrace`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneArg("FILE")(cmd, args)
		},
		ValidArgsFunction: completeFiles(1, "json", "jsonl", "ndjson"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return usage(cmd, errors.New("from-json: --output is required"))
			}
			file := standardInput
			if len(args) > 0 {
				file = args[0]
			}
			return p.runTraceFromJSON(cmd.Context(), file, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file, or bucket URL, for the trace")
	_ = cmd.MarkFlagFilename("output", "sktrace")
	return cmd
}

func (p *program) runTraceFromJSON(ctx context.Context, file, output string) (err error) {
	out, err := p.create(ctx, output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	input, err := p.fetchFile(ctx, file, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, input.Close()) }()
	decoded, err := p.decodeTrace(ctx, input, out.Path)
	if err != nil {
		return err
	}
	if err := out.Commit(ctx); err != nil {
		return err
	}
	if decoded.NoLifecycles {
		p.warnf("%s", noLifecycles)
	}
	made := ""
	switch {
	case decoded.ConfigMade && decoded.IndexMade:
		made = "; the config and the index were derived from the events"
	case decoded.ConfigMade:
		made = "; the config was derived from the events"
	case decoded.IndexMade:
		made = "; the index was derived from the events"
	}
	p.notef("%s: %s with %s%s", out.Name, words.Count(decoded.Events, "event"), words.Count(decoded.Objects, "object"), made)
	return nil
}
