package app

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
)

// The environment variables.
const (
	envNamespace     = "CTRL_NAMESPACE"
	envAccount       = "POD_SVC_ACCOUNT"
	envDriverAccount = "DRIVER_SVC_ACCOUNT"
)

// off, as an address, means that nothing is served.
const off = "0"

// options are the flags.
type options struct {
	verbosity      string
	kubeconfig     string
	context        string
	metricsAddress string
	healthAddress  string
	leaderElect    bool
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVarP(&o.verbosity, "verbosity", "v", "info", "what to log: error, warn, info or debug")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster (default: the pod's own account, else $KUBECONFIG, else ~/.kube/config)")
	flags.StringVar(&o.context, "context", "", "context of the kubeconfig")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address of the metrics, at /metrics; 0: none")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0: none")
	flags.BoolVar(&o.leaderElect, "leader-elect", true, "have one of several sk-ctrl work, the others stand by")
}

func (o *options) complete(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("verbosity", cobra.FixedCompletions([]string{"error", "warn", "info", "debug"}, cobra.ShellCompDirectiveNoFileComp))
}

// settings are the options and the environment, understood.
type settings struct {
	level                    slog.Level
	namespace, driverAccount string
}

// parse tells everything that is wrong with flags and environment.
func (o *options) parse() (*settings, error) {
	s := &settings{}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	var err error
	if s.level, err = parseLevel(o.verbosity); err != nil {
		problem("--verbosity %w", err)
	}
	for flag, address := range map[string]string{"--metrics-bind-address": o.metricsAddress, "--health-probe-bind-address": o.healthAddress} {
		if address == off {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			problem("%s %q: wanted is an address with a port, such as :8080, or 0 for none", flag, address)
		}
	}
	s.namespace = os.Getenv(envNamespace)
	s.driverAccount = cmp.Or(os.Getenv(envDriverAccount), os.Getenv(envAccount))
	switch {
	case s.namespace == "":
		problem("$%s is not set: it is the namespace that sk-ctrl is in", envNamespace)
	case len(validation.IsDNS1123Label(s.namespace)) > 0:
		problem("$%s %q is not the name of a namespace", envNamespace, s.namespace)
	}
	switch {
	case s.driverAccount == "":
		problem("$%s is not set: it is the service account of the drivers, unless $%s names another", envAccount, envDriverAccount)
	case len(validation.IsDNS1123Subdomain(s.driverAccount)) > 0:
		problem("%q, of $%s or $%s, is not the name of a service account", s.driverAccount, envDriverAccount, envAccount)
	}
	if len(problems) > 0 {
		return nil, &usageError{errors.Join(problems...)}
	}
	return s, nil
}

func parseLevel(text string) (level slog.Level, err error) {
	switch strings.ToLower(text) {
	case "error", "warn", "info", "debug":
		return level, level.UnmarshalText([]byte(text))
	}
	return level, fmt.Errorf("%q: accepted are error, warn, info and debug", text)
}
