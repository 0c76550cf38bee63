package app

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"simkube.io/simkube/internal/program"
)

// The environment variables by which a pod knows itself, and the folder where the results' volume is.
const (
	nameVariable      = "DRIVER_NAME"
	namespaceVariable = "POD_NAMESPACE"
	claimDir          = "/results"
)

// The ports by default.
const (
	defaultWebhookPort = 8888
	defaultMetricsPort = 8081
)

// options are the flags.
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
	flags.StringVar(&o.controllerNS, "controller-ns", "", "namespace of sk-ctrl, where the lease is that simulations take turns by (required)")
	flags.IntVar(&o.webhookPort, "admission-webhook-port", defaultWebhookPort, "port of the admission webhook")
	flags.StringVar(&o.cert, "cert-path", "", "certificate of the webhook, PEM; read again when it changes (required)")
	flags.StringVar(&o.key, "key-path", "", "the certificate's key, PEM (required)")
	flags.StringVar(&o.trace, "trace-path", "", "the trace: a path, or a URL such as s3://bucket/key (required)")
	flags.StringVar(&o.claimDir, "results-dir", claimDir, "where the volume of spec.results.persistentVolumeClaim is mounted")
	flags.BoolVar(&o.failFast, "fail-fast", false, "end with the first object that cannot be applied or deleted (default: it is counted, and the replay goes on)")
	flags.IntVar(&o.metricsPort, "metrics-port", defaultMetricsPort, "port of /metrics; 0: none")
	program.AddVerbosity(flags, &o.verbosity)
	o.cluster.AddFlags(flags)
}

// check tells everything that is wrong with the flags.
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
			problems = append(problems, fmt.Errorf("the environment has no %s: it must hold the pod's own (field metadata.name, metadata.namespace)", variable))
		}
	}
	for flag, port := range map[string]int{"--admission-webhook-port": o.webhookPort, "--metrics-port": o.metricsPort} {
		if port < 0 || port > 65535 {
			problems = append(problems, fmt.Errorf("%s %d: wanted is a port, 0 to 65535", flag, port))
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
