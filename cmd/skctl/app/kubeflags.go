package app

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
)

// apiTimeout is how long an API server may take to be reached.
const apiTimeout = 30 * time.Second

// errNoKubeconfig is returned when nothing says which cluster is meant.
var errNoKubeconfig = errors.New("no kubeconfig")

// newKubeFlags returns kubectl's connection flags, without those that have no place here.
func newKubeFlags() *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil
	return flags
}

// addKubeFlags adds kubectl's connection flags to a command, without the shorthands that the command has flags of its own for.
func addKubeFlags(cmd *cobra.Command, kube *genericclioptions.ConfigFlags) {
	all := pflag.NewFlagSet("kube", pflag.ContinueOnError)
	all.SortFlags = false
	kube.AddFlags(all)
	all.VisitAll(func(f *pflag.Flag) {
		if f.Shorthand != "" && cmd.Flags().ShorthandLookup(f.Shorthand) != nil {
			f.Shorthand = ""
		}
		cmd.Flags().AddFlag(f)
	})
}

// kubeConfig returns how to reach the cluster that kubectl would. The error wraps errNoKubeconfig when there is none: then
// kubectl would try this machine.
func (p *program) kubeConfig(kube *genericclioptions.ConfigFlags) (*rest.Config, error) {
	raw, err := kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	inCluster := os.Getenv("KUBERNETES_SERVICE_HOST") != ""
	if len(raw.Clusters) == 0 && (kube.APIServer == nil || *kube.APIServer == "") && !inCluster {
		return nil, errNoKubeconfig
	}
	config, err := kube.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.UserAgent = "skctl/" + p.version
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}

// clusterTransport carries requests to an API server. It is ours alone, so that its connections can be closed.
type clusterTransport struct {
	client *http.Client
	close  func()
}

func newClusterTransport(config *rest.Config) (*clusterTransport, error) {
	// A dialer of its own keeps client-go from sharing the transport.
	config.Dial = (&net.Dialer{Timeout: apiTimeout, KeepAlive: apiTimeout}).DialContext
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("use the kubeconfig: %w", err)
	}
	return &clusterTransport{client: client, close: client.CloseIdleConnections}, nil
}
