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
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// apiServerArgs are the flags of kube-apiserver.
func apiServerArgs(dir *dataDir, etcdEndpoint string, gates map[string]bool) []string {
	args := []string{
		"--etcd-servers=" + etcdEndpoint,
		"--tls-cert-file=" + dir.file("apiserver.crt"),
		"--tls-private-key-file=" + dir.file("apiserver.key"),
		"--token-auth-file=" + dir.file("tokens.csv"),
		"--anonymous-auth=false",
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + dir.file("sa.key"),
		"--service-account-signing-key-file=" + dir.file("sa.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		// An Endpoints object may not hold a loopback address, so another one is
		// advertised and nothing writes the endpoints.
		"--advertise-address=192.0.2.1",
		"--endpoint-reconciler-type=none",
		// Simulated pods need no tokens.
		"--disable-admission-plugins=ServiceAccount",
		// Every client is in system:masters and so exempt from priority and fairness;
		// off, it costs nothing.
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=0",
		"--max-mutating-requests-inflight=0",
		"--profiling=false",
	}
	if len(gates) > 0 {
		args = append(args, "--feature-gates="+featureGateFlag(gates))
	}
	return args
}

func featureGateFlag(gates map[string]bool) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(gates)) {
		parts = append(parts, name+"="+strconv.FormatBool(gates[name]))
	}
	return strings.Join(parts, ",")
}

// newAPIServer prepares kube-apiserver to serve on listener; the result runs it until
// the context ends. It also sets the process's feature gates, which the other components
// share, and so must come before them.
func newAPIServer(ctx context.Context, listener net.Listener, args []string, mutate MutatePod) (func(context.Context) error, error) {
	opts := options.NewServerRunOptions()
	registerPodAdmission(opts.Admission.GenericAdmission, mutate)
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
	return func(ctx context.Context) error { return app.Run(ctx, completed) }, nil
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
