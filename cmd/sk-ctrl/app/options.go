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

// The defaults of what simulations may use: any version of SimKube's driver image, and the folder
// of the default trace.
const (
	defaultDriverImages = "simkube/sk-driver"
	defaultTracePaths   = "/data"
)

// off is the address that turns a server off.
const off = "0"

// options are the values of the flags.
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
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address on which /metrics is served; 0 turns it off")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address on which /healthz and /readyz are served; 0 turns them off")
	flags.BoolVar(&o.leaderElect, "leader-elect", true, "make only one of several sk-ctrl active, and the others wait")
	flags.BoolVar(&o.hookCommands, "hook-commands", false, "run preStart and postStop hooks that are commands, with the permissions of sk-ctrl (by default, simulations with such a hook fail)")
	flags.StringSliceVar(&o.driverImages, "allowed-driver-images", []string{defaultDriverImages},
		"driver images that simulations may use: repositories, with or without a tag or digest, or REGISTRY/PATH/*; * allows all")
	flags.StringSliceVar(&o.tracePaths, "allowed-trace-paths", []string{defaultTracePaths},
		"folders of nodes from which simulations may mount their traces; * allows all, an empty list none")
}

func (o *options) complete(cmd *cobra.Command) {
	program.CompleteVerbosity(cmd)
}

// settings are the parsed flags and environment variables.
type settings struct {
	level                    slog.Level
	namespace, driverAccount string
	images                   allowlist.Images
	tracePaths               allowlist.Paths
}

// parse returns all errors of the flags and the environment at once.
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
			problem("invalid %s %q: must be an address with a port, such as :8080, or 0", flag, address)
		}
	}
	if s.images, err = allowlist.ParseImages(o.driverImages); err != nil {
		problem("invalid --allowed-driver-images: %w", err)
	} else if len(o.driverImages) == 0 {
		problem("invalid --allowed-driver-images: must not be empty, because no simulation could run; * allows every image")
	}
	if s.tracePaths, err = allowlist.ParsePaths(o.tracePaths); err != nil {
		problem("invalid --allowed-trace-paths: %w", err)
	}
	s.namespace = os.Getenv(envNamespace)
	s.driverAccount = cmp.Or(os.Getenv(envDriverAccount), os.Getenv(envAccount))
	switch {
	case s.namespace == "":
		problem("$%s is not set: must be the namespace of sk-ctrl", envNamespace)
	case len(validation.IsDNS1123Label(s.namespace)) > 0:
		problem("invalid $%s %q: must be the name of a namespace", envNamespace, s.namespace)
	}
	switch {
	case s.driverAccount == "":
		problem("$%s is not set: must be the service account of the drivers, unless $%s is set", envAccount, envDriverAccount)
	case len(validation.IsDNS1123Subdomain(s.driverAccount)) > 0:
		problem("invalid service account %q in $%s or $%s: must be the name of a service account", s.driverAccount, envDriverAccount, envAccount)
	}
	if len(problems) > 0 {
		return nil, &program.UsageError{Err: errors.Join(problems...)}
	}
	return s, nil
}
