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

// apiTimeout is how long connecting to an API server may take.
const apiTimeout = 30 * time.Second

// errNoKubeconfig is returned if no cluster is configured.
var errNoKubeconfig = errors.New("no kubeconfig")

// newKubeFlags returns kubectl's connection flags, without those that do not apply.
func newKubeFlags() *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil
	return flags
}

// addKubeFlags adds kubectl's connection flags to a command, without the shorthands that the
// command uses itself.
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

// kubeConfig returns the configuration of the cluster that kubectl would use. The error wraps
// errNoKubeconfig if there is none, in which case kubectl would try localhost.
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

// clusterTransport sends requests to an API server. It is not shared, so that its connections can
// be closed.
type clusterTransport struct {
	client *http.Client
	close  func()
}

func newClusterTransport(config *rest.Config) (*clusterTransport, error) {
	// client-go does not share a transport that has its own dialer.
	config.Dial = (&net.Dialer{Timeout: apiTimeout, KeepAlive: apiTimeout}).DialContext
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("use the kubeconfig: %w", err)
	}
	return &clusterTransport{client: client, close: client.CloseIdleConnections}, nil
}
