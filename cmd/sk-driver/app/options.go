package app

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"simkube.io/simkube/internal/program"
)

// The environment variables with the pod's name and namespace, and the default mount point of the
// results' volume.
const (
	nameVariable      = "DRIVER_NAME"
	namespaceVariable = "POD_NAMESPACE"
	claimDir          = "/results"
)

// The default ports.
const (
	defaultWebhookPort = 8888
	defaultMetricsPort = 8081
)

// options are the values of the flags.
type options struct {
	simulation   string
	controllerNS string
	webhookPort  int
	metricsPort  int
	cert, key    string
	trace        string
	claimDir     string
	failFast     bool
	verbosity    string
	cluster      program.Cluster
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.simulation, "sim-name", "", "name of the Simulation (required)")
	flags.StringVar(&o.controllerNS, "controller-ns", "", "namespace of sk-ctrl, which holds the lease of the simulations (required)")
	flags.IntVar(&o.webhookPort, "admission-webhook-port", defaultWebhookPort, "port of the admission webhook")
	flags.StringVar(&o.cert, "cert-path", "", "certificate of the webhook, PEM; read again when it changes (required)")
	flags.StringVar(&o.key, "key-path", "", "the certificate's key, PEM (required)")
	flags.StringVar(&o.trace, "trace-path", "", "the trace: a path, or a URL such as s3://bucket/key (required)")
	flags.StringVar(&o.claimDir, "results-dir", claimDir, "mount point of the volume of spec.results.persistentVolumeClaim")
	flags.BoolVar(&o.failFast, "fail-fast", false, "fail at the first object that cannot be applied or deleted (by default, such objects are counted)")
	flags.IntVar(&o.metricsPort, "metrics-port", defaultMetricsPort, "port of /metrics; 0 turns it off")
	program.AddVerbosity(flags, &o.verbosity)
	o.cluster.AddFlags(flags)
}

// check returns all errors of the flags and the environment at once.
func (o *options) check() (level slog.Level, err error) {
	var problems []error
	for flag, value := range map[string]string{
		"--sim-name": o.simulation, "--controller-ns": o.controllerNS, "--cert-path": o.cert, "--key-path": o.key, "--trace-path": o.trace,
	} {
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is missing", flag))
		}
	}
	for _, variable := range []string{nameVariable, namespaceVariable} {
		if os.Getenv(variable) == "" {
			problems = append(problems, fmt.Errorf("$%s is not set: must be the pod's own (field metadata.name or metadata.namespace)", variable))
		}
	}
	for flag, port := range map[string]int{"--admission-webhook-port": o.webhookPort, "--metrics-port": o.metricsPort} {
		if port < 0 || port > 65535 {
			problems = append(problems, fmt.Errorf("invalid %s %d: must be a port, 0 to 65535", flag, port))
		}
	}
	if level, err = program.ParseLevel(o.verbosity); err != nil {
		problems = append(problems, fmt.Errorf("--verbosity %w", err))
	}
	if err := errors.Join(problems...); err != nil {
		return level, &program.UsageError{Err: err}
	}
	return level, nil
}
