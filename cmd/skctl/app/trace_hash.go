package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/printable"
	"simkube.io/simkube/internal/traceconvert"
	"simkube.io/simkube/internal/traceinfo"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// traceHashOptions are the values of trace hash's flags.
type traceHashOptions struct {
	trace, config, output string
}

func newTraceHash(p *program) *cobra.Command {
	var opts traceHashOptions
	cmd := &cobra.Command{
		Use:   "hash [FILE...]",
		Short: "Compute the hashes of manifests and pods in traces",
		Long: `hash prints the hashes of manifests, YAML or JSON with any number of documents, or of the objects in a
trace:

  - the manifest hash, which a trace's index holds for each object's last manifest: that of its spec;
  - the pod hash of each pod template and pod, under which lifecycles are recorded: that of the pod's
    spec without what differs between the pods of an owner. The hash of a pod template is that of its
    pods only if nothing is added to them when they are created, so prefer that of a recorded pod.

If a pod has the annotation static.simkube.io/pod-spec-stable-hash, which a simulation sets before it
changes the pod, that is compared with its hash. With --trace, each manifest whose spec differs from
that of the one before is shown, with the lifecycles that are recorded under its pod hashes.

A FILE is a path, a URL, or - for the standard input. For kinds that are not built in, the trace's own
configuration, or that in --config-file, says where the pod templates are.` + exitStatus,
		Example: `  kubectl get pod web-5d8f-x2x7k -o yaml | skctl trace hash -
  skctl trace hash --trace prod.sktrace | grep 'default/web'
  skctl trace hash manifests.yaml -o json | jq -r '.pods[].hash'`,
		ValidArgsFunction: completeFiles(0, "yaml", "yml", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case opts.output != outputText && opts.output != outputJSON:
				return usage(cmd, fmt.Errorf("invalid --output %q: must be text or json", opts.output))
			case opts.trace != "" && len(args) > 0:
				return usage(cmd, errors.New("hash: files and --trace: only one of them can be used"))
			case opts.trace != "" && opts.config != "":
				return usage(cmd, errors.New("--config-file and --trace: only one of them can be used, because a trace has its own configuration"))
			case opts.trace == "" && len(args) == 0:
				return usage(cmd, errors.New("hash: must have files, - for the standard input, or --trace"))
			case opts.trace != "":
				return p.hashTrace(cmd.Context(), opts.trace, p.hashPrinter(opts.output))
			}
			return p.hashFiles(cmd.Context(), args, opts)
		},
	}
	cmd.Flags().StringVar(&opts.trace, "trace", "", "trace whose objects to hash")
	cmd.Flags().StringVarP(&opts.config, "config-file", "c", "", "configuration of a tracer, for the pod templates of other kinds")
	cmd.Flags().StringVarP(&opts.output, "output", "o", outputText, "output format: text (a hash per line) or json (an object per line)")
	acceptFlags(cmd, map[string]string{"config": "config-file"})
	_ = cmd.MarkFlagFilename("trace", "sktrace")
	_ = cmd.MarkFlagFilename("config-file", "yaml", "yml", "json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{outputText, outputJSON}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// hashPrinter returns a function that prints hashes as they are found.
func (p *program) hashPrinter(output string) func(*traceinfo.Hashes) error {
	if output == outputJSON {
		return func(h *traceinfo.Hashes) error {
			var line bytes.Buffer
			enc := json.NewEncoder(&line)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(h); err != nil {
				return err
			}
			_, err := p.streams.Out.Write(printable.JSON(line.Bytes()))
			return err
		}
	}
	return func(h *traceinfo.Hashes) error { return printHashes(p.streams.Out, h) }
}

// printHashes prints a hash per line.
func printHashes(w io.Writer, h *traceinfo.Hashes) error {
	object := printable.Line(h.Kind + " " + h.Name)
	if h.Time != nil {
		object += " at " + strconv.FormatInt(*h.Time, 10)
	}
	text := fmt.Sprintf("%-20d  manifest  %s\n", h.Hash, object)
	for _, pod := range h.Pods {
		text += fmt.Sprintf("%-20d  pod       %s", pod.Hash, object)
		if pod.Path != "" {
			text += " " + printable.Line(pod.Path)
		}
		switch {
		case pod.Annotation == "":
		case pod.Annotation == strconv.FormatUint(pod.Hash, 10):
			text += ", equal to its annotation"
		default:
			text += ", but its annotation is " + printable.Line(pod.Annotation)
		}
		if pod.Lifecycles > 0 {
			text += ", " + words.Count(pod.Lifecycles, "lifecycle")
		}
		text += "\n"
	}
	for _, other := range h.OtherLifecycles {
		text += fmt.Sprintf("%-20d  recorded  %s, %s\n", other.Hash, object, words.Count(other.Lifecycles, "lifecycle"))
	}
	_, err := io.WriteString(w, text)
	return err
}

func (p *program) hashTrace(ctx context.Context, arg string, show func(*traceinfo.Hashes) error) (err error) {
	in, err := p.openTrace(ctx, arg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	// The lifecycles come after the objects in the file.
	for _, err := range in.events(ctx) {
		if err != nil {
			return err
		}
	}
	tail, err := in.Tail()
	if err != nil {
		return err
	}
	lifecycles := tail.Lifecycles
	if err := in.rewind(); err != nil {
		return err
	}
	in.showsNone(isTerminal(p.streams.Out))
	return traceinfo.HashEvents(in.Config(), in.events(ctx), lifecycles, show)
}

func (p *program) hashFiles(ctx context.Context, files []string, opts traceHashOptions) error {
	config := &trace.Config{}
	if opts.config != "" {
		text, err := os.ReadFile(opts.config)
		if err != nil {
			return fmt.Errorf("read the configuration %s: %w", opts.config, reason(err))
		}
		var warnings []string
		if config, warnings, err = trace.ParseConfig(text); err != nil {
			return fmt.Errorf("read the configuration %s: %w", opts.config, err)
		}
		for _, warning := range warnings {
			p.warnf("%s: %s", opts.config, warning)
		}
	}
	show := p.hashPrinter(opts.output)
	for _, file := range files {
		if err := p.hashFile(ctx, file, config, show); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) hashFile(ctx context.Context, arg string, config *trace.Config, show func(*traceinfo.Hashes) error) (err error) {
	input, err := p.fetchFile(ctx, arg, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, input.Close()) }()
	in, err := os.Open(input.Path)
	if err != nil {
		return fmt.Errorf("open %s: %w", input.Name, reason(err))
	}
	defer in.Close()
	if err := traceinfo.HashManifests(config, in, show); err != nil {
		err = fmt.Errorf("%s: %w", input.Name, err)
		if format, _ := traceconvert.Detect(input.Path); format == traceconvert.Trace {
			return hint(err, "a FILE must hold manifests; for the objects of a trace, use --trace %s", arg)
		}
		return err
	}
	return nil
}
