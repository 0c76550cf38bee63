package controlplane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	genericfilters "k8s.io/apiserver/pkg/endpoints/filters"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/util/notfoundhandler"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	flowcontrolrest "k8s.io/kubernetes/pkg/registry/flowcontrol/rest"

	"simkube.io/simkube/cluster/internal/inprocess"
)

// apiServerArgs returns the flags of kube-apiserver.
func apiServerArgs(dir *dataDir, opts Options) []string {
	plugins := []string{"ServiceAccount"} // simulated pods need no tokens
	gates := maps.Clone(opts.FeatureGates)
	if opts.Minimal {
		plugins = append(plugins, minimalPlugins()...)
		if gates == nil {
			gates = map[string]bool{}
		}
		for _, gate := range minimalGates() {
			if _, given := gates[gate]; !given {
				gates[gate] = false
			}
		}
	}
	args := []string{
		"--etcd-servers=" + etcdEndpoint,
		"--tls-cert-file=" + dir.file("apiserver.crt"),
		"--tls-private-key-file=" + dir.file("apiserver.key"),
		"--token-auth-file=" + dir.file("tokens.csv"),
		"--anonymous-auth=false",
		// As in production: agents for networks, volumes and devices need it, and the pod security of a
		// namespace restricts the rest.
		"--allow-privileged=true",
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + dir.file("sa.key"),
		"--service-account-signing-key-file=" + dir.file("sa.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		// An Endpoints object must not hold a loopback address, so another one is advertised and nothing
		// writes the endpoints.
		"--advertise-address=192.0.2.1",
		"--endpoint-reconciler-type=none",
		"--disable-admission-plugins=" + strings.Join(plugins, ","),
		// Priority and fairness would protect the API server from clients that all belong to one
		// simulation; off, it costs nothing.
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=0",
		"--max-mutating-requests-inflight=0",
		"--profiling=false",
	}
	if opts.AggregatorRouting {
		args = append(args, "--enable-aggregator-routing=true")
	}
	if len(gates) > 0 {
		args = append(args, "--feature-gates="+featureGateFlag(gates))
	}
	return args
}

// minimalGates returns features that cost timers and requests and that no simulation needs.
func minimalGates() []string {
	return []string{
		"UnknownVersionInteroperabilityProxy", "APIServerIdentity", "DetectCacheInconsistency",
		"SizeBasedListCostEstimate", "ListFromCacheSnapshot",
	}
}

// minimalPlugins returns the admission plugins of what Minimal leaves out.
func minimalPlugins() []string {
	return []string{
		"MutatingAdmissionPolicy", "ValidatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionWebhook",
	}
}

// minimalHooks returns the hooks that the API server must not run in virtual time once it serves.
// This one creates the objects of priority and fairness, which is off, and checks them every
// minute. The second check retries without a pause until a watch has delivered the objects, which
// may need a timer of etcd's: no time passes meanwhile, so the timer never fires.
func minimalHooks() []string { return []string{flowcontrolrest.PostStartHookName} }

// minimize changes what has no flag. Nothing scrapes the servers' metrics. To register them, the
// servers would read the processor time of the process and the counters of the machine from /proc.
// How many digits these have decides the addresses of what is allocated later, and so, with a seed,
// the order of maps with pointers as keys.
func minimize(config *app.Config) {
	config.KubeAPIs.ControlPlane.Generic.DisabledPostStartHooks.Insert(minimalHooks()...)
	config.KubeAPIs.ControlPlane.Generic.EnableMetrics = false
	config.ApiExtensions.GenericConfig.EnableMetrics = false
}

func featureGateFlag(gates map[string]bool) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(gates)) {
		parts = append(parts, name+"="+strconv.FormatBool(gates[name]))
	}
	return strings.Join(parts, ",")
}

// newAPIServer prepares kube-apiserver to serve on listener, and returns a function that runs it
// until the context ends. It also sets the process's feature gates, which the components share, and
// so must be called before they start.
func newAPIServer(ctx context.Context, listener net.Listener, transport *inprocess.Transport, args []string, o Options) (func(context.Context) error, error) {
	opts := options.NewServerRunOptions()
	registerPodAdmission(opts.Admission.GenericAdmission, o.MutatePod)
	registerFailureAdmission(opts.Admission.GenericAdmission, o.CreateFailed)
	stages, err := o.allStages()
	if err != nil {
		return nil, err
	}
	if err := registerDeletionAdmission(opts.Admission.GenericAdmission, stages); err != nil {
		return nil, err
	}
	opts.SecureServing.Listener = listener
	opts.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	opts.SecureServing.BindAddress = listener.Addr().(*net.TCPAddr).IP
	if err := parseFlags(opts.Flags(), args); err != nil {
		return nil, err
	}
	if err := opts.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, fmt.Errorf("set feature gates: %w", err)
	}
	completed, err := opts.Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("complete options: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("validate options: %w", errors.Join(errs...))
	}
	return func(ctx context.Context) error {
		config, err := app.NewConfig(completed)
		if err != nil {
			return fmt.Errorf("configure: %w", err)
		}
		if o.Minimal {
			minimize(config)
		}
		completed, err := config.Complete()
		if err != nil {
			return fmt.Errorf("complete the configuration: %w", err)
		}
		if o.Minimal {
			return runWithoutAggregator(ctx, completed, transport)
		}
		return runChain(ctx, completed, transport)
	}, nil
}

// runChain does what app.Run does with a completed configuration.
func runChain(ctx context.Context, config app.CompletedConfig, transport *inprocess.Transport) error {
	server, err := app.CreateServerChain(config)
	if err != nil {
		return fmt.Errorf("make the servers: %w", err)
	}
	prepared, err := server.PrepareRun()
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	transport.Serve(server.GenericAPIServer.Handler)
	return prepared.Run(ctx)
}

// runWithoutAggregator is runChain without the last server of the chain, the aggregator: it serves
// the built-in APIs and custom resources, but no APIService objects.
func runWithoutAggregator(ctx context.Context, config app.CompletedConfig, transport *inprocess.Transport) error {
	notFound := notfoundhandler.New(config.KubeAPIs.ControlPlane.Generic.Serializer, genericfilters.NoMuxAndDiscoveryIncompleteKey)
	extensions, err := config.ApiExtensions.New(server.NewEmptyDelegateWithCustomHandler(notFound))
	if err != nil {
		return fmt.Errorf("make the server of custom resources: %w", err)
	}
	kube, err := config.KubeAPIs.New(extensions.GenericAPIServer)
	if err != nil {
		return fmt.Errorf("make the server of the built-in APIs: %w", err)
	}
	prepared := kube.ControlPlane.GenericAPIServer.PrepareRun()
	transport.Serve(prepared.Handler)
	return prepared.RunWithContext(ctx)
}

func parseFlags(sets cliflag.NamedFlagSets, args []string) error {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		fs.AddFlagSet(set)
	}
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("parse flags: %w", err)
	}
	return nil
}
