package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/words"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletions(p *program) *cobra.Command {
	return &cobra.Command{
		Use:       "completions SHELL",
		Aliases:   []string{"completion"},
		Short:     "Print a completion script for a shell",
		Long:      "completions prints a completion script for bash, zsh, fish or powershell.",
		Example:   "  source <(skctl completions bash)",
		ValidArgs: shells,
		Args:      oneArg("SHELL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), p.streams.Out
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			return usage(cmd, fmt.Errorf("invalid shell %q: must be %s", args[0], words.Or(shells...)))
		},
	}
}
