package app

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/skcluster"
)

// The values of -o.
const (
	outputTable = "table"
	outputJSON  = "json"
)

func newClusterStatus(p *program) *cobra.Command {
	var name, output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the clusters and their status",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != outputTable && output != outputJSON {
				return usage(cmd, fmt.Errorf("invalid --output %q: must be %s or %s", output, outputTable, outputJSON))
			}
			clusters, err := skcluster.UserClusters()
			if err != nil {
				return err
			}
			var shown []skcluster.Cluster
			if name == "" {
				shown, err = clusters.List()
			} else {
				var cluster skcluster.Cluster
				cluster, err = clusters.Get(name)
				shown = []skcluster.Cluster{cluster}
			}
			if err != nil {
				return err
			}
			return p.printClusters(shown, output, time.Now())
		},
	}
	addNameFlag(cmd, &name, "", "show this cluster, and fail if it does not exist (default all)")
	cmd.Flags().StringVarP(&output, "output", "o", outputTable, "output format: table or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{outputTable, outputJSON}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) printClusters(clusters []skcluster.Cluster, output string, now time.Time) error {
	if output == outputJSON {
		enc := json.NewEncoder(p.streams.Out)
		enc.SetIndent("", "  ")
		if clusters == nil {
			clusters = []skcluster.Cluster{}
		}
		return enc.Encode(clusters)
	}
	if len(clusters) == 0 {
		p.notef("there are no clusters; skctl cluster up starts one")
		return nil
	}
	return writeClusterTable(p.streams.Out, clusters, now)
}

func writeClusterTable(w io.Writer, clusters []skcluster.Cluster, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATUS\tVERSION\tSERVER\tPID\tAGE")
	for _, c := range clusters {
		pid, age := "-", "-"
		if c.PID != 0 {
			pid = fmt.Sprint(c.PID)
		}
		if !c.StartedAt.IsZero() {
			age = max(0, now.Sub(c.StartedAt)).Round(time.Second).String()
		}
		fmt.Fprintln(table, tableRow(c.Name, c.Status, dash(c.Version), dash(c.Server), pid, age))
	}
	return table.Flush()
}

func newClusterKubeconfig(p *program) *cobra.Command {
	var (
		name string
		path bool
	)
	cmd := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print a running cluster's kubeconfig",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cluster, err := namedCluster(name)
			if err != nil {
				return err
			}
			if path {
				_, err := fmt.Fprintln(p.streams.Out, cluster.Kubeconfig)
				return err
			}
			data, err := os.ReadFile(cluster.Kubeconfig)
			if err != nil {
				return fmt.Errorf("read the kubeconfig of cluster %s: %w", name, err)
			}
			_, err = p.streams.Out.Write(data)
			return err
		},
	}
	addNameFlag(cmd, &name, defaultCluster, "name of the cluster")
	cmd.Flags().BoolVar(&path, "path", false, "print the path of the kubeconfig instead")
	return cmd
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shellQuote quotes a word for a POSIX shell.
func shellQuote(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
