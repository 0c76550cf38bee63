package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
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
	output, skel, nodeShape string
	ignore, knownAPIs       []string
	all, shared             bool
}

func (o *validateOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.output, "output", "o", formatText, "output format: text, json, or sarif (2.1.0, which code hosts show)")
	f.StringVar(&o.skel, "generate-skel", "", "write a SKEL program that fixes the trace to this file; - prints it, and the findings go to the error stream")
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

// plan converts the flags to options, and returns all their errors at once.
func (o *validateOptions) plan() (validate.Options, error) {
	plan := validate.Options{Ignore: o.ignore, KnownAPIs: o.knownAPIs, Shared: o.shared}
	var problems []error
	if formats := []string{formatText, formatJSON, formatSARIF}; !slices.Contains(formats, o.output) {
		problems = append(problems, fmt.Errorf("invalid --output %q: must be %s", o.output, words.Or(formats...)))
	} else if o.skel == standardInput && o.output != formatText {
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
