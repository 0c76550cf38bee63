package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/traceconvert"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// traceConvertOptions are trace convert's flags.
type traceConvertOptions struct {
	from, output, start, config            string
	excludedNamespaces, includedNamespaces []string
	owned                                  bool
	// forRecordings are the flags among those of the user that a trace has no use for.
	forRecordings []string
}

// recordingFlags are the flags for recordings that are no traces.
func recordingFlags() []string {
	return []string{"start-time", "config", "excluded-namespaces", "included-namespaces", "owned"}
}

// fromNames are the values of --from.
func fromNames() []string { return []string{"auto", "v1", "kwok", "kss"} }

func newTraceConvert(p *program) *cobra.Command {
	var opts traceConvertOptions
	cmd := &cobra.Command{
		Use:   "convert INPUT",
		Short: "Make a trace of an old one, or of what KWOK or kube-scheduler-simulator recorded",
		Long: `convert makes a trace of

  v1    a trace of version 1 (or of version 2: it is written in its canonical form)
  kwok  the YAML of kwokctl snapshot record, or of kwokctl snapshot export --record
  kss   the JSON of kube-scheduler-simulator's recorder, one record a line

Which one it is shows in the file; --from says it. Files may be compressed with gzip or zstd. INPUT and --output are
paths or URLs (s3://bucket/key, gs://..., azure://...; INPUT http(s)://... too, or - for the standard input).

Of a recording the trace gets what sk-tracer would have recorded: manifests without status and whatever else the
cluster added, without the objects that others make (pods of Deployments, ...), how long pods ran, and which nodes there
were. Kinds by which a cluster is run, such as nodes, leases, RBAC and endpoints, are left out; with --config only the
kinds of a tracer's configuration are converted.

KWOK does not record when it was: the trace begins at --start-time, or on 2000-01-01.

Times: ` + timespec.AcceptedTimes + `.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`,
		Example: `  skctl trace convert old.sktrace -o new.sktrace
  skctl trace convert cluster.yaml --start-time 2025-03-01T08:00:00Z
  skctl trace convert record.jsonl --config tracer.yaml -o s3://traces/record.sktrace`,
		Args:              oneArg("INPUT"),
		ValidArgsFunction: completeFiles(1, "sktrace", "yaml", "yml", "json", "jsonl", "gz", "zst"),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := opts.plan(args[0], time.Now())
			if err != nil {
				return usage(cmd, err)
			}
			for _, name := range recordingFlags() {
				if cmd.Flags().Changed(name) {
					opts.forRecordings = append(opts.forRecordings, "--"+name)
				}
			}
			return p.runTraceConvert(cmd.Context(), args[0], plan, opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opts.from, "from", "auto", "what INPUT is: auto, v1, kwok or kss")
	f.StringVarP(&opts.output, "output", "o", "", "where the trace goes: a path or a URL (default INPUT's name with .sktrace, here)")
	f.StringVarP(&opts.start, "start-time", "s", "", "when the trace of a recording begins (default when the recording did)")
	f.StringVarP(&opts.config, "config", "c", "", "tracer configuration: convert only the kinds in it, as it says")
	f.StringSliceVar(&opts.excludedNamespaces, "excluded-namespaces", []string{"kube-system", "kube-public", "kube-node-lease"}, "namespaces to leave out of a recording")
	f.StringSliceVar(&opts.includedNamespaces, "included-namespaces", nil, "leave out all other namespaces (default none)")
	f.BoolVar(&opts.owned, "owned", false, "keep objects that others make, too")
	acceptFlags(cmd, map[string]string{"namespaces": "included-namespaces", "config-file": "config"})
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(fromNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagFilename("output", "sktrace")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	for _, name := range []string{"start-time", "excluded-namespaces", "included-namespaces"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return cmd
}

// plan reads the flags, or gives everything that is wrong with them at once.
func (o *traceConvertOptions) plan(input string, now time.Time) (traceconvert.Options, error) {
	plan := traceconvert.Options{ExcludedNamespaces: o.excludedNamespaces, IncludedNamespaces: o.includedNamespaces, Owned: o.owned}
	var problems []error
	formats := map[string]traceconvert.Format{"auto": "", "v1": traceconvert.Trace, "kwok": traceconvert.KWOK, "kss": traceconvert.SchedulerSimulator}
	format, ok := formats[o.from]
	if !ok {
		problems = append(problems, fmt.Errorf("--from %q: accepted are auto, v1, kwok and kss", o.from))
	}
	plan.From = format
	if o.start != "" {
		start, err := timespec.ParseTime(o.start, now, now)
		if err != nil {
			problems = append(problems, fmt.Errorf("--start-time: %w", err))
		}
		plan.Start = start
	}
	suffix := ""
	if newTraceName(input, "") == input {
		suffix = "-converted"
	}
	var err error
	if o.output, err = checkNewTrace(o.output, []string{input}, suffix); err != nil {
		problems = append(problems, err)
	}
	return plan, errors.Join(problems...)
}

func (p *program) runTraceConvert(ctx context.Context, input string, plan traceconvert.Options, opts traceConvertOptions) (err error) {
	if opts.config != "" {
		if plan.Config, err = p.readTracerConfig(opts.config); err != nil {
			return err
		}
	}
	out, err := p.create(ctx, opts.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	in, err := p.fetchFile(ctx, input, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if plan.From == "" {
		// An error comes again, from Convert.
		plan.From, _ = traceconvert.Detect(in.Path)
	}
	if plan.From == traceconvert.Trace && len(opts.forRecordings) > 0 {
		return &usageError{
			err:  fmt.Errorf("%s: %s is a trace, which is converted as it is", strings.Join(opts.forRecordings, ", "), in.Name),
			hint: "skctl trace slice makes a trace of a part of it",
		}
	}
	summary, err := func() (traceconvert.Summary, error) {
		transfer := p.slowTransfer("reading " + in.Name)
		defer transfer.close()
		plan.Name, plan.Progress = in.Name, transfer.add
		return traceconvert.Convert(ctx, in.Path, out.Path, plan)
	}()
	switch {
	case errors.Is(err, traceconvert.ErrUnknownFormat):
		return hint(err, "--from says what it is")
	case err != nil:
		return err
	}
	if err := out.Commit(ctx); err != nil {
		return err
	}
	p.printConverted(summary, out)
	return nil
}

func (p *program) printConverted(s traceconvert.Summary, out *outputFile) {
	notes := s.Notes
	if s.Timeless {
		notes = append(notes, "the recording does not say when it was made: the trace begins on 2000-01-01; --start-time says when it was")
	}
	if s.Indexed == 0 {
		notes = append(notes, "there are no objects in the trace")
	}
	p.printNotes(notes)
	p.printNewTrace(out, s.Start, s.End, s.Events, s.Applied+s.Deleted)
	if s.From != traceconvert.Trace {
		p.notef("%s different objects, lifecycles of %s pods, %s nodes; %s changes of objects that others make left out",
			words.Number(s.Indexed), words.Number(s.Lifecycles), words.Number(s.Nodes), words.Number(s.Dropped))
	}
}

// parseKinds reads the kinds of a flag.
func parseKinds(flag string, texts []string) ([]schema.GroupVersionKind, error) {
	var (
		kinds    []schema.GroupVersionKind
		problems []error
	)
	for _, text := range texts {
		gvk, err := trace.ParseGVK(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w; kinds are written like apps/v1.Deployment or v1.Pod", flag, err))
			continue
		}
		kinds = append(kinds, gvk)
	}
	return kinds, errors.Join(problems...)
}
