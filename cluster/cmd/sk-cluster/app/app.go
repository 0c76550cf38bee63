// Package app is sk-cluster's command line. skctl is its usual caller; see package
// simulation for the protocol between the two.
package app

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// Main runs the command line and returns the process's exit code: 0 done, 1 failed.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	virtualtime.Prepare()
	root := &cobra.Command{
		Use:           "sk-cluster",
		Short:         "The embedded Kubernetes control plane of SimKube",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	root.AddCommand(newServe(), newSimulate(), newVersion())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(errOut, "sk-cluster:", err)
		return 1
	}
	return 0
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
	}
}

// version is the version of the Kubernetes that is linked in, which is what decides
// how a simulation comes out.
func version() string { return moduleVersion("k8s.io/kubernetes") }

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range info.Deps {
		if dep.Path == path {
			return dep.Version
		}
	}
	return "unknown"
}
