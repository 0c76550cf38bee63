package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/tracejson"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

func newTraceFromJSON(p *program) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "from-json [FILE] -o TRACE",
		Aliases: []string{"fromjson"},
		Short:   "Make a trace of JSON",
		Long: `from-json makes a trace of JSON: of what skctl trace cat --all prints, of lines of events alone, or of one object with the
keys version, config, events, index and pod_lifecycles. docs/trace-tools.md describes the form.

Where there is no config, one is made that follows the kinds that occur; where there is no index, it is made from the events.
An input with a version has to have all of it: without the index or the lifecycles it has been cut off.

FILE is a path, a URL, or - for the standard input, which is also read when there is no FILE. The trace appears under its
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
				return usage(cmd, errors.New("from-json: say with --output where the trace goes"))
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
	decoded, err := p.decodeTrace(ctx, file, out.Path)
	if err != nil {
		return err
	}
	if err := out.Commit(ctx); err != nil {
		return err
	}
	made := ""
	switch {
	case decoded.ConfigMade && decoded.IndexMade:
		made = "; the config and the index were made from the events"
	case decoded.ConfigMade:
		made = "; the config was made from the events"
	case decoded.IndexMade:
		made = "; the index was made from the events"
	}
	p.notef("%s: %s with %s%s", out.Name, words.Count(decoded.Events, "event"), words.Count(decoded.Objects, "object"), made)
	return nil
}

// decodeTrace writes the trace of a file of JSON to a path.
func (p *program) decodeTrace(ctx context.Context, file, path string) (_ tracejson.Decoded, err error) {
	input, err := p.fetchFile(ctx, file, "")
	if err != nil {
		return tracejson.Decoded{}, err
	}
	defer func() { err = errors.Join(err, input.Close()) }()
	in, err := os.Open(input.Path)
	if err != nil {
		return tracejson.Decoded{}, fmt.Errorf("open %s: %w", input.Name, reason(err))
	}
	defer in.Close()
	out, err := os.Create(path)
	if err != nil {
		return tracejson.Decoded{}, fmt.Errorf("make the trace: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	shown := p.slowTransfer("reading " + input.Name)
	defer shown.close()
	decoded, err := tracejson.Decode(ctx, in, out, tracejson.DecodeOptions{SpoolDir: filepath.Dir(path), Progress: shown.add})
	switch {
	case errors.Is(err, trace.ErrOrder):
		return decoded, hint(fmt.Errorf("%s: %w", input.Name, err), "jq -cs 'sort_by(.ts)[]' puts events alone in order")
	case err != nil:
		return decoded, fmt.Errorf("%s: %w", input.Name, err)
	}
	if err := out.Sync(); err != nil {
		return decoded, fmt.Errorf("write the trace: %w", err)
	}
	return decoded, nil
}
