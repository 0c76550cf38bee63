package app

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/internal/xray"
	"simkube.io/simkube/skel"
)

func newXray(p *program) *cobra.Command {
	var opts xrayOptions
	cmd := &cobra.Command{
		Use:   "xray TRACE",
		Short: "Browse a trace",
		Long: `xray shows a trace interactively, in the order of time: the events, what each of them did to which
objects, their manifests and the changes between versions, and the lifecycles of pods. TRACE is a path,
a URL (s3://..., gs://..., azure://..., https://...), or - for the standard input. It may be larger than
memory, and is shown at once, while it is still being read. Press ? for the keys.

If the standard output is not a terminal, or with --print, xray prints the same as text: a line for each
event and for each of its objects, marked + for new, ~ for changed, = for applied without a change, and
- for deleted.

Times: 10:30, +2h (from the beginning), -5m (from the end), 2024-01-01T10:30:00Z, unix seconds; all are UTC.

Exit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted.`,
		Example: `  skctl xray examples/day.sktrace
  skctl xray prod.sktrace --kind Deployment,StatefulSet --namespace shop
  skctl xray prod.sktrace --name 'web-*' --from 10:30 --to 11:00 --diff --print
  skctl xray prod.sktrace --selector 'spec.replicas > 10' | less`,
		Args: oneArg("TRACE"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"sktrace"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.print = opts.print || !isTerminal(p.streams.Out)
			if !opts.print && (opts.diff || opts.to != "") {
				return usage(cmd, errors.New("--diff and --to require --print; xray shows both interactively"))
			}
			return p.runXray(cmd.Context(), args[0], opts)
		},
	}
	opts.addFlags(cmd)
	return cmd
}

type xrayOptions struct {
	query    xray.Query
	from, to string
	diff     bool
	print    bool
}

func (o *xrayOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.query.Kinds, "kind", "", "only objects of these kinds, separated by commas: Deployment, or apps/v1.Deployment")
	flags.StringVar(&o.query.Namespaces, "namespace", "", "only objects in these namespaces")
	flags.StringVar(&o.query.Name, "name", "", "only objects whose name contains this, or matches this pattern: 'web-*'")
	flags.StringVar(&o.query.Text, "text", "", "only objects whose manifest contains this text")
	flags.StringVar(&o.query.Selector, "selector", "", "only objects that match this selector, in the language of skctl transform")
	flags.StringVar(&o.from, "from", "", "begin at this time")
	flags.StringVar(&o.to, "to", "", "end with this time")
	flags.BoolVar(&o.diff, "diff", false, "also print what changed in the manifests")
	flags.BoolVar(&o.print, "print", false, "print text; the default if the output is not a terminal")
}

func (p *program) runXray(ctx context.Context, arg string, opts xrayOptions) (err error) {
	in, err := p.fetch(ctx, arg)
	if err == nil {
		in, err = p.decompressed(ctx, in)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	file, err := timeline.Open(ctx, in.Path, timeline.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := opts.query.Check(compileSelector(file)); err != nil {
		return &usageError{err: err}
	}
	if opts.print {
		return p.printXray(ctx, file, opts)
	}
	// Keys come from the terminal, even if the standard input is a trace.
	return xray.Run(ctx, file, xray.Terminal{Out: p.streams.Out}, xray.Options{
		Name:    in.Name,
		Colour:  p.style(p.streams.Out).colour,
		Unicode: runtime.GOOS == "windows" || xray.UTF8(os.Getenv),
		Compile: compileSelector(file),
		Query:   opts.query,
		From:    opts.from,
		Check:   checkTrace(in.Path),
	})
}

func (p *program) printXray(ctx context.Context, file *timeline.File, opts xrayOptions) error {
	// If a reader goes away, such as head, fetched files must still be removed.
	gone := make(chan os.Signal, 1)
	signal.Notify(gone, syscall.SIGPIPE)
	defer signal.Stop(gone)
	err := xray.Print(ctx, p.streams.Out, file, xray.PrintOptions{
		Query: opts.query, Compile: compileSelector(file), From: opts.from, To: opts.to, Diff: opts.diff,
		Colour: p.style(p.streams.Out).colour,
	})
	var badTime *xray.TimeError
	if errors.As(err, &badTime) {
		return &usageError{err: err}
	}
	return err
}

// compileSelector compiles selectors for a trace. Relative times in them count from the trace's
// beginning.
func compileSelector(file *timeline.File) xray.Compile {
	return func(source string) (xray.Match, error) {
		selector, err := skel.CompileSelector(source)
		if err != nil {
			return nil, err
		}
		return selector.Matcher(file.Info(0).Time), nil
	}
}
