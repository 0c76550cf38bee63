package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/traceedit"
)

// traceSliceOptions are the values of trace slice's flags.
type traceSliceOptions struct {
	start, end, output             string
	namespaces, excludedNamespaces []string
	kinds, names                   []string
	labels, excludedLabels         []string
	compatible                     bool
}

func newTraceSlice(p *program) *cobra.Command {
	var opts traceSliceOptions
	cmd := &cobra.Command{
		Use:     "slice TRACE",
		Aliases: []string{"cut"},
		Short:   "Extract a part of a trace",
		Long: `slice creates a trace of the time from --start-time up to, but not including, --end-time, as if it had
been exported for that time: its first event holds everything that existed at the beginning, its
lifecycles are those that overlap it, and the rest of the trace matches its events. Filters exclude all
other objects; as in an export, an object whose labels no longer match counts as deleted.

--compatible keeps only the kinds that have pods, for programs that reject a trace with other kinds in
its configuration.

Times: ` + timespec.AcceptedTimes + `.
Times with a sign are relative to the trace: +10m is ten minutes after its beginning, -10m ten minutes
before its end.

TRACE and --output are paths or URLs (s3://bucket/key, gs://..., azure://...; TRACE also http(s)://...
or - for the standard input).

Exit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted.`,
		Example: `  skctl trace slice day.sktrace -s +2h -t +3h -o third-hour.sktrace
  skctl trace slice prod.sktrace -s 2025-03-01T08:00:00Z --namespaces shop,ci
  skctl trace slice prod.sktrace --kinds apps/v1.Deployment,v1.Pod --labels 'team=search'
  skctl trace slice prod.sktrace --compatible -o prod-pods.sktrace`,
		Args:              oneArg("TRACE"),
		ValidArgsFunction: completeFiles(1, "sktrace"),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := opts.plan(args[0], time.Now())
			if err != nil {
				return usage(cmd, err)
			}
			return p.runTraceSlice(cmd.Context(), args[0], plan, opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&opts.start, "start-time", "s", "", "beginning of the part (default that of TRACE)")
	f.StringVarP(&opts.end, "end-time", "t", "", "end of the part, exclusive (default after TRACE)")
	f.StringSliceVar(&opts.namespaces, "namespaces", nil, "exclude all other namespaces (default none)")
	f.StringSliceVar(&opts.excludedNamespaces, "excluded-namespaces", nil, "namespaces to exclude")
	f.StringSliceVar(&opts.kinds, "kinds", nil, "exclude all other kinds, e.g. apps/v1.Deployment,v1.Pod (default none)")
	f.StringSliceVar(&opts.names, "names", nil, "exclude objects with other names; * matches any part of a name (default none)")
	f.StringArrayVar(&opts.labels, "labels", nil, "exclude objects without these labels, e.g. app=x,tier!=y (repeatable: one of them must match)")
	f.StringArrayVar(&opts.excludedLabels, "excluded-labels", nil, "exclude objects with these labels (repeatable)")
	f.BoolVar(&opts.compatible, "compatible", false, "exclude kinds without pod templates, which earlier versions of SimKube cannot read")
	f.StringVarP(&opts.output, "output", "o", "", "path or URL of the new trace (default TRACE's name with -slice, in this folder)")
	acceptFlags(cmd, map[string]string{"included-namespaces": "namespaces", "included-labels": "labels"})
	_ = cmd.MarkFlagFilename("output", "sktrace")
	for _, name := range []string{"start-time", "end-time", "namespaces", "excluded-namespaces", "kinds", "names", "labels", "excluded-labels"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return cmd
}

// plan parses the flags, and returns all their errors at once.
func (o *traceSliceOptions) plan(input string, now time.Time) (traceedit.SliceOptions, error) {
	var problems []error
	check := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	// Relative times need the trace, but errors in their syntax do not.
	_, _, err := o.window(now, now, now)
	check(err)
	var filters traceedit.Filters
	filters.IncludedNamespaces, filters.ExcludedNamespaces, filters.Names = o.namespaces, o.excludedNamespaces, o.names
	filters.Kinds, err = parseKinds("--kinds", o.kinds)
	check(err)
	for _, name := range o.names {
		if _, err := path.Match(name, ""); err != nil {
			check(fmt.Errorf("invalid --names %q: %w", name, err))
		}
	}
	filters.IncludedLabels, err = selectors("--labels", o.labels)
	check(err)
	filters.ExcludedLabels, err = selectors("--excluded-labels", o.excludedLabels)
	check(err)
	o.output, err = checkNewTrace(o.output, []string{input}, "-slice")
	check(err)
	window := func(first, last int64) (int64, int64, error) {
		return o.window(now, time.Unix(first, 0), time.Unix(last, 0))
	}
	return traceedit.SliceOptions{Window: window, Filters: filters, PodKinds: o.compatible}, errors.Join(problems...)
}

// window parses the times. A sign means relative to the beginning or the end of the trace.
func (o *traceSliceOptions) window(now, first, last time.Time) (start, end int64, err error) {
	read := func(flag, text string, without int64) (int64, error) {
		if text == "" {
			return without, nil
		}
		base := first
		if strings.HasPrefix(strings.TrimSpace(text), "-") {
			base = last
		}
		at, err := timespec.ParseTime(text, now, base)
		if err != nil {
			return 0, fmt.Errorf("invalid %s: %w", flag, err)
		}
		return at.Unix(), nil
	}
	start, startErr := read("--start-time", o.start, math.MinInt64)
	end, endErr := read("--end-time", o.end, math.MaxInt64)
	return start, end, errors.Join(startErr, endErr)
}

// selectors parses the label selectors of a flag.
func selectors(flag string, texts []string) ([]labels.Selector, error) {
	parsed, err := labelSelectors(flag, texts)
	if err != nil {
		return nil, err
	}
	var list []labels.Selector
	for i := range parsed {
		selector, err := metav1.LabelSelectorAsSelector(&parsed[i])
		if err != nil {
			return nil, fmt.Errorf("invalid %s: %w", flag, err)
		}
		list = append(list, selector)
	}
	return list, nil
}

func (p *program) runTraceSlice(ctx context.Context, input string, plan traceedit.SliceOptions, opts traceSliceOptions) (err error) {
	out, err := p.create(ctx, opts.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	in, err := p.fetch(ctx, input)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	summary, err := func() (traceedit.Summary, error) {
		transfer := p.slowTransfer("reading " + in.Name)
		defer transfer.close()
		plan.Progress = transfer.add
		return traceedit.Slice(ctx, traceedit.Input{Path: in.Path, Name: in.Name}, out.Path, plan)
	}()
	if err != nil {
		return err
	}
	if err := out.Commit(ctx); err != nil {
		return err
	}
	p.printNotes(summary.Notes)
	if summary.Indexed == 0 {
		p.printNotes([]string{"the new trace has no objects: nothing existed at that time, or the filters excluded it"})
	}
	p.printNewTrace(out, summary.Start, summary.End, summary.Events, summary.Applied+summary.Deleted)
	return nil
}
