package program

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Cluster says which cluster is meant.
type Cluster struct {
	// Kubeconfig is the path of a file, Context one of its contexts. Both may be empty.
	Kubeconfig, Context string
}

// AddFlags adds the flags for a cluster.
func (c *Cluster) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.Kubeconfig, "kubeconfig", "", "kubeconfig of the cluster (default: the pod's own account, else $KUBECONFIG, else ~/.kube/config)")
	flags.StringVar(&c.Context, "context", "", "context of the kubeconfig")
}

// Config tells how to reach the API server: as the flags say, else as the pod's service account, else as kubectl would.
func (c *Cluster) Config() (*rest.Config, error) {
	if c.Kubeconfig == "" && c.Context == "" {
		config, err := rest.InClusterConfig()
		if err == nil || !errors.Is(err, rest.ErrNotInCluster) {
			return config, err
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.Kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: c.Context}).ClientConfig()
	switch {
	case clientcmd.IsEmptyConfig(err):
		return nil, &HintedError{
			Err:  errors.New("find the cluster: this is no pod of one, and there is no kubeconfig"),
			Hint: "name one with --kubeconfig, or in $KUBECONFIG",
		}
	case err != nil:
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	return config, nil
}
