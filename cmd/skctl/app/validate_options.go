package app

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/validate"
	"simkube.io/simkube/internal/words"
)

const (
	formatText  = "text"
	formatJSON  = "json"
	formatSARIF = "sarif"
	formatList  = "list"
	formatTable = "table"
	formatYAML  = "yaml"
)

// validateOptions are the values of validate's flags.
type validateOptions struct {
	output, nodeShape string
	skel              optionalFile
	ignore, knownAPIs []string
	all, shared       bool
}

func (o *validateOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.output, "output", "o", formatText, "output format: text, json, or sarif (2.1.0, which code hosts show)")
	o.skel.flags = f
	f.Var(&o.skel, "generate-skel", "write a SKEL program that fixes the trace to this file (auto, or no value: TRACE's name with .skel, in this folder); - prints it, and the findings go to the error stream")
	f.Lookup("generate-skel").NoOptDefVal = noFile
	f.StringSliceVar(&o.ignore, "ignore", nil, "codes or names of rules to ignore (repeatable)")
	f.StringSliceVar(&o.knownAPIs, "known-api", nil, "API groups, or group/version, of the cluster of the replay (repeatable)")
	f.BoolVar(&o.shared, "shared", false, "check for a replay in a cluster with other workloads (skctl run), not for skctl simulate")
	f.StringVar(&o.nodeShape, "node-shape", "", "node shape that pods must fit, e.g. cpu=8,memory=32Gi (default the nodes in the trace)")
	f.BoolVar(&o.all, "all", false, fmt.Sprintf("print all findings of a rule, not only the first %d", shownFindings))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{formatText, formatJSON, formatSARIF}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("ignore", completeRules)
	_ = cmd.RegisterFlagCompletionFunc("known-api", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("node-shape", cobra.NoFileCompletions)
	_ = cmd.MarkFlagFilename("generate-skel", "skel")
}

// noFile is the value of a flag that was given without one.
const noFile = "auto"

// optionalFile is the value of a flag that may be given without a value. Its value may also follow
// as an argument of its own, as for other flags.
type optionalFile struct {
	path  string
	flags *pflag.FlagSet
	// bare: the flag had no value in the same argument. at is the index of the positional argument
	// that comes after the flag.
	bare bool
	at   int
}

// String returns the value, for the flag's default.
func (f *optionalFile) String() string { return f.path }

// Type is how help calls the value.
func (f *optionalFile) Type() string { return "file" }

// Set sets the value.
func (f *optionalFile) Set(value string) error {
	f.path, f.bare = value, value == noFile
	if f.bare {
		// While flags are parsed, these are the positional arguments so far.
		f.path, f.at = "", f.flags.NArg()
	}
	return nil
}

// take returns the command's arguments without the value of the flag, if there is one more argument
// than wanted.
func (f *optionalFile) take(args []string, wanted int) []string {
	if !f.bare || len(args) != wanted+1 || f.at >= len(args) {
		return args
	}
	f.path = args[f.at]
	return slices.Delete(slices.Clone(args), f.at, f.at+1)
}

// resolve sets the default of a flag without a value.
func (f *optionalFile) resolve(trace string) error {
	if !f.bare || f.path != "" {
		return nil
	}
	if f.path = standardInput; trace != standardInput {
		f.path = strings.TrimSuffix(newTraceName(trace, ""), ".sktrace") + ".skel"
		if _, err := os.Lstat(f.path); err == nil {
			return fmt.Errorf("--generate-skel requires a value: its default, %s, exists; use --generate-skel %s to replace it", f.path, f.path)
		}
	}
	return nil
}

// plan converts the flags to options, and returns all their errors at once.
func (o *validateOptions) plan() (validate.Options, error) {
	plan := validate.Options{Ignore: o.ignore, KnownAPIs: o.knownAPIs, Shared: o.shared}
	var problems []error
	if formats := []string{formatText, formatJSON, formatSARIF}; !slices.Contains(formats, o.output) {
		problems = append(problems, fmt.Errorf("invalid --output %q: must be %s", o.output, words.Or(formats...)))
	} else if o.skel.path == standardInput && o.output != formatText {
		problems = append(problems, fmt.Errorf("--generate-skel - and --output %s: only one of them can use the standard output", o.output))
	}
	for _, name := range o.ignore {
		if _, err := findRule(name); err != nil {
			problems = append(problems, fmt.Errorf("invalid --ignore %w", err))
		}
	}
	for _, api := range o.knownAPIs {
		if _, err := schema.ParseGroupVersion(api); err != nil || api == "" {
			problems = append(problems, fmt.Errorf("invalid --known-api %q: must be an API group, or group/version", api))
		}
	}
	if o.nodeShape != "" {
		shape, err := nodes.ParseShape(o.nodeShape)
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid --node-shape: %w", err))
		}
		plan.Node = &shape
	}
	return plan, errors.Join(problems...)
}

func findRule(name string) (*validate.Rule, error) {
	if rule, ok := validate.Find(name); ok {
		return rule, nil
	}
	var codes []string
	for _, rule := range validate.Rules() {
		codes = append(codes, rule.Code)
	}
	return nil, fmt.Errorf("%q: must be the name of a rule, or one of %s", name, strings.Join(codes, ", "))
}

// completeRules completes a code, and shows the rule's name as its description.
func completeRules(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var rules []cobra.Completion
	for _, rule := range validate.Rules() {
		rules = append(rules, cobra.CompletionWithDesc(rule.Code, rule.Name))
	}
	return rules, cobra.ShellCompDirectiveNoFileComp
}
