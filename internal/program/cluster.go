package program

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Cluster selects a cluster.
type Cluster struct {
	// Kubeconfig is the path of a kubeconfig file, Context the name of a context in it. Both may be
	// empty.
	Kubeconfig, Context string
}

// AddFlags adds the flags for a cluster.
func (c *Cluster) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&c.Kubeconfig, "kubeconfig", "", "kubeconfig of the cluster (default: the pod's service account, else $KUBECONFIG, else ~/.kube/config)")
	flags.StringVar(&c.Context, "context", "", "context of the kubeconfig")
}

// Config returns a client configuration according to the flags, or else that of the pod's service
// account, or else the default of kubectl.
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
			Err:  errors.New("find the cluster: not running in a pod, and there is no kubeconfig"),
			Hint: "set one with --kubeconfig or $KUBECONFIG",
		}
	case err != nil:
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	return config, nil
}
