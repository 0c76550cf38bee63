package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/validate"
	"simkube.io/simkube/internal/words"
)

func newValidateExplain(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "explain CODE",
		Short: "Explain a rule",
		Long:  "explain prints what a rule finds, why it matters for a replay, and what to do. CODE is a rule's code or name.",
		Example: `  skctl validate explain E0001
  skctl validate explain priority_class_missing`,
		Args:              oneArg("CODE"),
		ValidArgsFunction: completeRules,
		RunE: func(cmd *cobra.Command, args []string) error {
			rule, err := findRule(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			style := p.style(p.streams.Out)
			_, err = fmt.Fprintf(p.streams.Out, "%s (%s)\n\n%s\n\n%s\n",
				style.wrap("1", rule.Code+" "+rule.Name), rule.Severity, rule.Title, wrapText(rule.Help, min(width(p.streams.Out), 100)))
			return err
		},
	}
}

// wrapText breaks a text into lines.
func wrapText(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

func newValidatePrint(p *program) *cobra.Command {
	formats := []string{formatList, formatTable, formatJSON, formatYAML}
	format := formatTable
	cmd := &cobra.Command{
		Use:     "print",
		Short:   "Print the rules",
		Long:    "print prints all rules.",
		Example: "  skctl validate print -f json | jq -r '.[].code'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(formats, format) {
				return usage(cmd, fmt.Errorf("invalid --format %q: must be %s", format, words.Or(formats...)))
			}
			return p.printRules(format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", format, "how: "+strings.Join(formats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) printRules(format string) error {
	rules, out := validate.Rules(), p.streams.Out
	switch format {
	case formatList:
		for _, rule := range rules {
			fmt.Fprintf(out, "%s %s\n", rule.Code, rule.Name)
		}
		return nil
	case formatTable:
		table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
		fmt.Fprintln(table, "CODE\tNAME\tSEVERITY\tWHAT")
		for _, rule := range rules {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", rule.Code, rule.Name, rule.Severity, rule.Title)
		}
		return table.Flush()
	}
	for _, rule := range rules {
		rule.Help = strings.Join(strings.Fields(rule.Help), " ")
	}
	text, err := json.MarshalIndent(rules, "", "  ")
	if err == nil && format == formatYAML {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return fmt.Errorf("print the rules: %w", err)
	}
	_, err = fmt.Fprintln(out, strings.TrimSuffix(string(text), "\n"))
	return err
}
