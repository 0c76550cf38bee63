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

// traceSliceOptions are trace slice's flags.
type traceSliceOptions struct {
	start, end, output             string
	namespaces, excludedNamespaces []string
	kinds, names                   []string
	labels, excludedLabels         []string
}

func newTraceSlice(p *program) *cobra.Command {
	var opts traceSliceOptions
	cmd := &cobra.Command{
		Use:     "slice TRACE",
		Aliases: []string{"cut"},
		Short:   "Make a trace of a part of another",
		Long: `slice makes a trace of the time from --start-time up to, but not including, --end-time, as if it had been exported
for that time: its first event has everything that existed when it begins, lifecycles of pods are those that overlap it, and
the rest of the trace agrees with its events. With filters, all other objects are left out; as in an export, an object
whose labels do not match any more counts as deleted.

Times: ` + timespec.AcceptedTimes + `.
With a sign they are counted from the trace: +10m is ten minutes after its beginning, -10m ten minutes before its end.

TRACE and --output are paths or URLs (s3://bucket/key, gs://..., azure://...; TRACE http(s)://... too, or - for the standard input).

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`,
		Example: `  skctl trace slice day.sktrace -s +2h -t +3h -o third-hour.sktrace
  skctl trace slice prod.sktrace -s 2025-03-01T08:00:00Z --namespaces shop,ci
  skctl trace slice prod.sktrace --kinds apps/v1.Deployment,v1.Pod --labels 'team=search'`,
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
	f.StringVarP(&opts.start, "start-time", "s", "", "when the part begins (default when TRACE does)")
	f.StringVarP(&opts.end, "end-time", "t", "", "when the part ends; what happens in this second is not in it (default after TRACE)")
	f.StringSliceVar(&opts.namespaces, "namespaces", nil, "leave out all other namespaces (default none)")
	f.StringSliceVar(&opts.excludedNamespaces, "excluded-namespaces", nil, "namespaces to leave out")
	f.StringSliceVar(&opts.kinds, "kinds", nil, "leave out all other kinds, e.g. apps/v1.Deployment,v1.Pod (default none)")
	f.StringSliceVar(&opts.names, "names", nil, "leave out objects of other names; * stands for any part of one (default none)")
	f.StringArrayVar(&opts.labels, "labels", nil, "leave out objects without these labels, e.g. app=x,tier!=y (repeatable: one of them is enough)")
	f.StringArrayVar(&opts.excludedLabels, "excluded-labels", nil, "leave out objects with these labels (repeatable)")
	f.StringVarP(&opts.output, "output", "o", "", "where the new trace goes: a path or a URL (default TRACE's name with -slice, here)")
	acceptFlags(cmd, map[string]string{"included-namespaces": "namespaces", "included-labels": "labels"})
	_ = cmd.MarkFlagFilename("output", "sktrace")
	for _, name := range []string{"start-time", "end-time", "namespaces", "excluded-namespaces", "kinds", "names", "labels", "excluded-labels"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return cmd
}

// plan reads the flags, or gives everything that is wrong with them at once.
func (o *traceSliceOptions) plan(input string, now time.Time) (traceedit.SliceOptions, error) {
	var problems []error
	check := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	// What the times are counted from shows only in the trace; what is wrong with them shows now.
	_, _, err := o.window(now, now, now)
	check(err)
	var filters traceedit.Filters
	filters.IncludedNamespaces, filters.ExcludedNamespaces, filters.Names = o.namespaces, o.excludedNamespaces, o.names
	filters.Kinds, err = parseKinds("--kinds", o.kinds)
	check(err)
	for _, name := range o.names {
		if _, err := path.Match(name, ""); err != nil {
			check(fmt.Errorf("--names %q: %w", name, err))
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
	return traceedit.SliceOptions{Window: window, Filters: filters}, errors.Join(problems...)
}

// window reads the times. A sign counts from the beginning or the end of the trace.
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
			return 0, fmt.Errorf("%s: %w", flag, err)
		}
		return at.Unix(), nil
	}
	start, startErr := read("--start-time", o.start, math.MinInt64)
	end, endErr := read("--end-time", o.end, math.MaxInt64)
	return start, end, errors.Join(startErr, endErr)
}

// selectors reads the label selectors of a flag.
func selectors(flag string, texts []string) ([]labels.Selector, error) {
	parsed, err := labelSelectors(flag, texts)
	if err != nil {
		return nil, err
	}
	var list []labels.Selector
	for i := range parsed {
		selector, err := metav1.LabelSelectorAsSelector(&parsed[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
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
		p.printNotes([]string{"there are no objects in it: nothing existed at that time, or the filters left it out"})
	}
	p.printNewTrace(out, summary.Start, summary.End, summary.Events, summary.Applied+summary.Deleted)
	return nil
}
