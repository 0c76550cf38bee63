package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/traceconvert"
	"simkube.io/simkube/internal/tracejson"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// traceConvertOptions are the values of trace convert's flags.
type traceConvertOptions struct {
	from, output, start, config            string
	excludedNamespaces, includedNamespaces []string
	owned                                  bool
	// forRecordings are the flags that the user has set and that do not apply to traces.
	forRecordings []string
}

// recordingFlags returns the flags that only apply to recordings of other programs.
func recordingFlags() []string {
	return []string{"start-time", "config", "excluded-namespaces", "included-namespaces", "owned"}
}

// fromNames returns the values of --from.
func fromNames() []string { return []string{"auto", "v1", "kwok", "kss"} }

func newTraceConvert(p *program) *cobra.Command {
	var opts traceConvertOptions
	cmd := &cobra.Command{
		Use:   "convert INPUT",
		Short: "Convert an old trace, manifests, or a recording of KWOK or kube-scheduler-simulator, to a trace",
		Long: `convert creates a trace from

  v1    a trace of version 1 (or of version 2, which is written in its canonical form)
  kwok  the YAML of kwokctl snapshot record, or of kwokctl snapshot export --record; also manifests in
        YAML or JSON, such as the output of helm template
  kss   the JSON of kube-scheduler-simulator's recorder, records per line or in arrays

The format is detected, or set with --from. Files may be compressed with gzip or zstd. INPUT and
--output are paths or URLs (s3://bucket/key, gs://..., azure://...; INPUT also http(s)://... or - for
the standard input).

The trace of a recording holds what sk-tracer would have recorded: manifests without their status and
other additions of the cluster, without objects created by others (pods of Deployments, ...), the
lifecycles of pods, and the nodes. Kinds for running a cluster, such as nodes, leases, RBAC and
endpoints, are excluded. With --config, only the kinds in a tracer's configuration are converted.

Manifests are read as kubectl apply reads them: objects without a namespace are in "default", objects
with generateName get a name.

KWOK does not record the time: the trace begins at --start-time, or on 2000-01-01.

Times: ` + timespec.AcceptedTimes + `.

Exit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted.`,
		Example: `  skctl trace convert old.sktrace -o new.sktrace
  skctl trace convert cluster.yaml --start-time 2025-03-01T08:00:00Z
  helm template shop ./chart | skctl trace convert - -o shop.sktrace
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
	f.StringVar(&opts.from, "from", "auto", "format of INPUT: auto, v1, kwok or kss")
	f.StringVarP(&opts.output, "output", "o", "", "path or URL of the trace (default INPUT's name with .sktrace, in this folder)")
	f.StringVarP(&opts.start, "start-time", "s", "", "beginning of the trace of a recording (default that of the recording)")
	f.StringVarP(&opts.config, "config", "c", "", "tracer configuration: convert only its kinds")
	f.StringSliceVar(&opts.excludedNamespaces, "excluded-namespaces", nil, "namespaces to exclude from a recording (default "+strings.Join(traceconvert.SystemNamespaces(), ",")+"; none if the input is manifests that were not recorded)")
	f.StringSliceVar(&opts.includedNamespaces, "included-namespaces", nil, "exclude all other namespaces (default none)")
	f.BoolVar(&opts.owned, "owned", false, "also keep objects that are created by others")
	acceptFlags(cmd, map[string]string{"namespaces": "included-namespaces", "config-file": "config"})
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(fromNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagFilename("output", "sktrace")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	for _, name := range []string{"start-time", "excluded-namespaces", "included-namespaces"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return cmd
}

// plan parses the flags, and returns all their errors at once.
func (o *traceConvertOptions) plan(input string, now time.Time) (traceconvert.Options, error) {
	plan := traceconvert.Options{ExcludedNamespaces: o.excludedNamespaces, IncludedNamespaces: o.includedNamespaces, Owned: o.owned}
	var problems []error
	formats := map[string]traceconvert.Format{"auto": "", "v1": traceconvert.Trace, "kwok": traceconvert.KWOK, "kss": traceconvert.SchedulerSimulator}
	format, ok := formats[o.from]
	if !ok {
		problems = append(problems, fmt.Errorf("invalid --from %q: must be auto, v1, kwok or kss", o.from))
	}
	plan.From = format
	if o.start != "" {
		start, err := timespec.ParseTime(o.start, now, now)
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid --start-time: %w", err))
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
	if err == nil && tracejson.IsJSON(in.Path) {
		in, err = p.converted(ctx, in)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if plan.From == "" {
		// Convert returns the same error.
		plan.From, _ = traceconvert.Detect(in.Path)
	}
	if plan.From == traceconvert.Trace && len(opts.forRecordings) > 0 {
		return &usageError{
			err:  fmt.Errorf("%s: does not apply to the trace %s", strings.Join(opts.forRecordings, ", "), in.Name),
			hint: "to extract a part of a trace, use skctl trace slice",
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
		return hint(err, "%s", cmp.Or(formatHint(p.formatOf(in.Path)), "set its format with --from"))
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
		notes = append(notes, "the recording has no times: the trace begins on 2000-01-01; use --start-time to change that")
	}
	if s.Indexed == 0 {
		notes = append(notes, "the trace has no objects")
	}
	if len(s.LeftOutNamespaces) > 0 {
		notes = append(notes, fmt.Sprintf("left out objects by their namespaces: %s; use --excluded-namespaces to choose others ('' for none)", counts(s.LeftOutNamespaces)))
	}
	p.printNotes(notes)
	p.printNewTrace(out, s.Start, s.End, s.Events, s.Applied+s.Deleted)
	if s.From != traceconvert.Trace {
		p.notef("%s objects, lifecycles of %s pods, %s nodes; excluded %s changes of objects that are created by others",
			words.Number(s.Indexed), words.Number(s.Lifecycles), words.Number(s.Nodes), words.Number(s.Dropped))
	}
	if len(s.LeftOutKinds) > 0 {
		p.notef("left out objects of kinds that serve the operation of a cluster, or that --config does not have: %s", counts(s.LeftOutKinds))
	}
}

// counts returns names with numbers, the largest first.
func counts(numbers map[string]int) string {
	names := slices.SortedFunc(maps.Keys(numbers), func(a, b string) int {
		return cmp.Or(cmp.Compare(numbers[b], numbers[a]), cmp.Compare(a, b))
	})
	texts := make([]string, 0, len(names))
	for _, name := range names {
		texts = append(texts, fmt.Sprintf("%s (%s)", name, words.Number(numbers[name])))
	}
	return strings.Join(texts, ", ")
}

// parseKinds parses the kinds of a flag.
func parseKinds(flag string, texts []string) ([]schema.GroupVersionKind, error) {
	var (
		kinds    []schema.GroupVersionKind
		problems []error
	)
	for _, text := range texts {
		gvk, err := trace.ParseGVK(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid %s: %w; must be a kind such as apps/v1.Deployment or v1.Pod", flag, err))
			continue
		}
		kinds = append(kinds, gvk)
	}
	return kinds, errors.Join(problems...)
}
