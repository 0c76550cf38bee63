package app

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newTrace returns the command that groups the tools for trace files. Each of them has its own
// file.
func newTrace(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trace",
		Aliases: []string{"traces", "tr"},
		Short:   "Inspect, convert and edit traces",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newTraceInfo(p),
		newTraceCat(p),
		newTraceFromJSON(p),
		newTraceHash(p),
		newTraceConvert(p),
		newTraceSlice(p),
		newTraceMerge(p),
		newTraceDiff(p),
	)
	return cmd
}

// completeFiles completes files of some types for up to n arguments; 0 means any number.
func completeFiles(n int, extensions ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if n > 0 && len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

// acceptFlags makes a command accept the names that its flags have in other commands. The map is
// from those names to the command's own.
func acceptFlags(cmd *cobra.Command, others map[string]string) {
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if own, ok := others[name]; ok {
			name = own
		}
		return pflag.NormalizedName(name)
	})
}

// exitStatus ends the long help of the trace tools.
const exitStatus = "\n\nExit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted."
