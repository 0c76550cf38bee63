package app

import (
	"regexp"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/timespec"
)

// driverRepository holds the driver's images, with a tag for each version of SimKube.
const driverRepository = "simkube/sk-driver"

// runOptions are the values of run's flags.
type runOptions struct {
	duration                     string
	speed                        float64
	repetitions                  int32
	reschedule, startPaused      bool
	hooks                        []string
	image, namespace, trace      string
	port                         int32
	secrets                      []string
	skipMount                    bool
	verbosity, prefix            string
	failFast                     bool
	results                      string
	disableMetrics               bool
	metrics                      metricsOptions
	imagePull, imagePullJitter   int64
	podStartup, podStartupJitter int64
	watch, strict, dryRun        bool
	kube                         *genericclioptions.ConfigFlags
}

// metricsOptions are the values of the flags for the simulation's Prometheus.
type metricsOptions struct {
	namespace, account              string
	podNamespaces, podNames         []string
	serviceNamespaces, serviceNames []string
	shards                          int32
	remoteWrite                     string
}

// metricsFlags returns the names of the flags that ask for metrics.
func metricsFlags() []string {
	return []string{
		"metrics-namespace", "metrics-service-account", "metrics-pod-monitor-namespaces", "metrics-pod-monitor-names",
		"metrics-service-monitor-namespaces", "metrics-service-monitor-names", "prometheus-shards", "remote-write-endpoint",
	}
}

func (o *runOptions) addFlags(cmd *cobra.Command, version string) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.trace, "trace-path", "f", "file:///data/trace", "the trace: a URL, or an absolute path on the driver's node")
	f.StringVarP(&o.duration, "duration", "D", "", "duration of the replay in the trace's time, e.g. 2h; may exceed that of the trace (default the whole trace)")
	f.Float64VarP(&o.speed, "speed", "s", 1, "seconds of the trace per second; controllers and scheduler are not sped up")
	f.Int32VarP(&o.repetitions, "repetitions", "N", 1, "number of times to replay the trace, one after another")
	f.BoolVar(&o.watch, "watch", false, "show the progress until the simulation ends, and then its results")
	f.BoolVar(&o.strict, "strict", false, "with --watch, exit with status 3 if the trace was not replayed as recorded")
	f.BoolVar(&o.startPaused, "start-paused", false, "do not start before skctl resume")
	f.BoolVar(&o.failFast, "fail-fast", false, "fail at the first object that cannot be applied or deleted")
	f.BoolVar(&o.reschedule, "reschedule-interrupted-bare-pods", false, "recreate a pod without an owner if something other than the trace deletes it")
	f.StringArrayVar(&o.hooks, "hooks", nil, "files of hooks, separated by colons (repeatable; default none)")
	f.StringVar(&o.results, "results", "", "where to keep results: a folder in a bucket (s3://, gs://, azure://), configmap/NAME or pvc/NAME (default only a summary in the status)")

	f.StringVarP(&o.image, "driver-image", "I", defaultDriverImage(version), "image of the driver")
	f.Int32Var(&o.port, "driver-port", 8888, "port of the driver's webhook")
	f.StringVar(&o.namespace, "driver-namespace", "simkube", "namespace of the driver")
	f.StringSliceVar(&o.secrets, "driver-secrets", nil, "secrets in that namespace that become environment variables of the driver, e.g. for a bucket (default none)")
	f.StringVar(&o.verbosity, "driver-verbosity", "info", "level of the driver's log: error, warn, info or debug")
	f.BoolVar(&o.skipMount, "skip-local-volume-mount", false, "do not mount a local trace from the node, because the image contains it")
	f.StringVar(&o.prefix, "virtual-ns-prefix", simkubev1.DefaultVirtualNsPrefix, "prefix of the names of simulated namespaces")

	f.Int64Var(&o.imagePull, "image-pull-delay", 0, "milliseconds that pods take to pull images")
	f.Int64Var(&o.imagePullJitter, "image-pull-jitter", 0, "maximum of this delay in milliseconds; if set, each delay is random between the two")
	f.Int64Var(&o.podStartup, "pod-startup-delay", 0, "milliseconds that pods then take to become ready")
	f.Int64Var(&o.podStartupJitter, "pod-startup-jitter", 0, "maximum of this delay in milliseconds; if set, each delay is random between the two")

	f.BoolVar(&o.disableMetrics, "disable-metrics", false, "create no Prometheus, whatever other flags say (default: create one if the cluster has the Prometheus operator)")
	m := &o.metrics
	f.StringVar(&m.namespace, "metrics-namespace", "monitoring", "namespace of that Prometheus")
	f.StringVar(&m.account, "metrics-service-account", "prometheus-k8s", "service account of that Prometheus")
	f.StringSliceVar(&m.podNamespaces, "metrics-pod-monitor-namespaces", []string{"monitoring-hd"}, "namespaces of its PodMonitors")
	f.StringSliceVar(&m.podNames, "metrics-pod-monitor-names", nil, "names of its PodMonitors (default all)")
	f.StringSliceVar(&m.serviceNamespaces, "metrics-service-monitor-namespaces", []string{"monitoring-hd"}, "namespaces of its ServiceMonitors")
	f.StringSliceVar(&m.serviceNames, "metrics-service-monitor-names", nil, "names of its ServiceMonitors (default all)")
	f.Int32Var(&m.shards, "prometheus-shards", 0, "number of instances that share the targets (default one)")
	f.StringVar(&m.remoteWrite, "remote-write-endpoint", "", "URL to which it writes its samples (default none)")

	f.BoolVar(&o.dryRun, "dry-run", false, "print the Simulation as YAML, and do not create it")
	addKubeFlags(cmd, o.kube)

	_ = cmd.MarkFlagFilename("hooks", "yaml", "yml", "json")
	_ = cmd.RegisterFlagCompletionFunc("driver-verbosity", cobra.FixedCompletions(verbosities(), cobra.ShellCompDirectiveNoFileComp))
	for _, name := range append(metricsFlags(),
		"trace-path", "duration", "speed", "repetitions", "results", "driver-image", "driver-port", "driver-namespace", "driver-secrets",
		"virtual-ns-prefix", "image-pull-delay", "image-pull-jitter", "pod-startup-delay", "pod-startup-jitter",
	) {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// verbosities returns the levels at which the driver can log.
func verbosities() []string { return []string{"error", "warn", "info", "debug"} }

// defaultDriverImage returns the driver image of this program's version.
func defaultDriverImage(version string) string {
	// Characters that a tag may not contain, such as the plus of a version's build, become dashes.
	return driverRepository + ":" + regexp.MustCompile(`[^A-Za-z0-9_.-]`).ReplaceAllString(version, "-")
}

// runHelp is the long help of run.
const runHelp = `run creates a Simulation in the cluster of the kubeconfig. sk-ctrl, which must be running there,
then starts a driver that replays the trace on the cluster's simulated nodes. run returns at once,
or with --watch when the simulation has ended. See docs/running.md for how to set up a cluster.

The driver reads the trace, not this command: a path is one on the driver's node and must be
absolute. Secrets for a bucket are set with --driver-secrets.

A Prometheus is created for the simulation, unless --disable-metrics is set. That requires the
Prometheus operator. Without it, metrics are left out unless a flag asks for them.

Durations: ` + timespec.AcceptedDurations + `.

Exit status: 0 success, 1 failure (with --watch, also of the simulation), 2 invalid usage,
3 deviations with --watch --strict, 130 interrupted. An interrupt does not stop the simulation.`
