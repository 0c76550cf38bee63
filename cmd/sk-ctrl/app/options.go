package app

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"simkube.io/simkube/internal/controller/allowlist"
	"simkube.io/simkube/internal/program"
)

// The environment variables.
const (
	envNamespace     = "CTRL_NAMESPACE"
	envAccount       = "POD_SVC_ACCOUNT"
	envDriverAccount = "DRIVER_SVC_ACCOUNT"
)

// What simulations may name by default: the driver's image as it is built here, in any version, and
// the folder of the default trace.
const (
	defaultDriverImages = "simkube/sk-driver"
	defaultTracePaths   = "/data"
)

// off, as an address, means that nothing is served.
const off = "0"

// options are the flags.
type options struct {
	verbosity      string
	cluster        program.Cluster
	metricsAddress string
	healthAddress  string
	leaderElect    bool
	hookCommands   bool
	driverImages   []string
	tracePaths     []string
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	program.AddVerbosity(flags, &o.verbosity)
	o.cluster.AddFlags(flags)
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address of the metrics, at /metrics; 0: none")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0: none")
	flags.BoolVar(&o.leaderElect, "leader-elect", true, "have one of several sk-ctrl work, the others stand by")
	flags.BoolVar(&o.hookCommands, "hook-commands", false, "run preStart and postStop hooks that are commands, with sk-ctrl's own rights (default: simulations with one fail)")
	flags.StringSliceVar(&o.driverImages, "allowed-driver-images", []string{defaultDriverImages},
		"images that simulations may name for their drivers: repositories, with or without a tag or digest, or REGISTRY/PATH/*; *: all")
	flags.StringSliceVar(&o.tracePaths, "allowed-trace-paths", []string{defaultTracePaths},
		"folders of nodes from which simulations may have their traces mounted; empty: none; *: all")
}

func (o *options) complete(cmd *cobra.Command) {
	program.CompleteVerbosity(cmd)
}

// settings are the options and the environment, understood.
type settings struct {
	level                    slog.Level
	namespace, driverAccount string
	images                   allowlist.Images
	tracePaths               allowlist.Paths
}

// parse tells everything that is wrong with flags and environment.
func (o *options) parse() (*settings, error) {
	s := &settings{}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	var err error
	if s.level, err = program.ParseLevel(o.verbosity); err != nil {
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
	if s.images, err = allowlist.ParseImages(o.driverImages); err != nil {
		problem("--allowed-driver-images: %w", err)
	} else if len(o.driverImages) == 0 {
		problem("--allowed-driver-images: must name a repository, as no simulation could run; * allows every image")
	}
	if s.tracePaths, err = allowlist.ParsePaths(o.tracePaths); err != nil {
		problem("--allowed-trace-paths: %w", err)
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
		return nil, &program.UsageError{Err: errors.Join(problems...)}
	}
	return s, nil
}
