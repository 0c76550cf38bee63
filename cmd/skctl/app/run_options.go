package app

import (
	"regexp"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/timespec"
)

// driverRepository holds the driver's images, a tag for each version of SimKube.
const driverRepository = "simkube/sk-driver"

// runOptions are run's flags as the user wrote them.
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
	watch, dryRun                bool
	kube                         *genericclioptions.ConfigFlags
}

// metricsOptions are the flags of the Prometheus that lives as long as the simulation.
type metricsOptions struct {
	namespace, account              string
	podNamespaces, podNames         []string
	serviceNamespaces, serviceNames []string
	shards                          int32
	remoteWrite                     string
}

// metricsFlags are the names of the flags that say that metrics are wanted.
func metricsFlags() []string {
	return []string{
		"metrics-namespace", "metrics-service-account", "metrics-pod-monitor-namespaces", "metrics-pod-monitor-names",
		"metrics-service-monitor-namespaces", "metrics-service-monitor-names", "prometheus-shards", "remote-write-endpoint",
	}
}

func (o *runOptions) addFlags(cmd *cobra.Command, version string) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.trace, "trace-path", "f", "file:///data/trace", "the trace: a URL, or an absolute path on the node on which the driver runs")
	f.StringVarP(&o.duration, "duration", "D", "", "end after so much of the trace's time, e.g. 2h; longer than the trace keeps the cluster running (default the whole trace)")
	f.Float64VarP(&o.speed, "speed", "s", 1, "seconds of the trace that pass in a second; controllers and scheduler keep their own pace")
	f.Int32VarP(&o.repetitions, "repetitions", "N", 1, "how often to replay the trace, one after another")
	f.BoolVar(&o.watch, "watch", false, "show how far it is until it ends, and then what came of it")
	f.BoolVar(&o.startPaused, "start-paused", false, "do not begin before skctl resume")
	f.BoolVar(&o.failFast, "fail-fast", false, "fail at the first object that cannot be applied or deleted")
	f.BoolVar(&o.reschedule, "reschedule-interrupted-bare-pods", false, "start a pod without an owner anew when something other than the trace deletes it")
	f.StringArrayVar(&o.hooks, "hooks", nil, "files of hooks, separated by colons (repeatable; default none)")
	f.StringVar(&o.results, "results", "", "where to keep results: a folder in a bucket (s3://, gs://, azure://), configmap/NAME or pvc/NAME (default the summary in the status alone)")

	f.StringVarP(&o.image, "driver-image", "I", defaultDriverImage(version), "image of the driver")
	f.Int32Var(&o.port, "driver-port", 8888, "port of the driver's webhook")
	f.StringVar(&o.namespace, "driver-namespace", "simkube", "namespace in which the driver runs")
	f.StringSliceVar(&o.secrets, "driver-secrets", nil, "names of secrets there that become environment variables of the driver, e.g. to reach a bucket (default none)")
	f.StringVar(&o.verbosity, "driver-verbosity", "info", "what the driver logs: error, warn, info or debug")
	f.BoolVar(&o.skipMount, "skip-local-volume-mount", false, "do not mount a local trace from the node: the image has it")
	f.StringVar(&o.prefix, "virtual-ns-prefix", simkubev1.DefaultVirtualNsPrefix, "what the names of simulated namespaces begin with")

	f.Int64Var(&o.imagePull, "image-pull-delay", 0, "milliseconds that pods take to pull images")
	f.Int64Var(&o.imagePullJitter, "image-pull-jitter", 0, "milliseconds that this takes at most: if set, the delay is drawn between the two")
	f.Int64Var(&o.podStartup, "pod-startup-delay", 0, "milliseconds that pods then take to be ready")
	f.Int64Var(&o.podStartupJitter, "pod-startup-jitter", 0, "milliseconds that this takes at most: if set, the delay is drawn between the two")

	f.BoolVar(&o.disableMetrics, "disable-metrics", false, "make no Prometheus, whatever the flags for metrics say (default: one is made if the cluster has the Prometheus operator)")
	m := &o.metrics
	f.StringVar(&m.namespace, "metrics-namespace", "monitoring", "namespace of that Prometheus")
	f.StringVar(&m.account, "metrics-service-account", "prometheus-k8s", "service account that it scrapes with")
	f.StringSliceVar(&m.podNamespaces, "metrics-pod-monitor-namespaces", []string{"monitoring-hd"}, "namespaces of the PodMonitors that it uses")
	f.StringSliceVar(&m.podNames, "metrics-pod-monitor-names", nil, "names of those PodMonitors (default all)")
	f.StringSliceVar(&m.serviceNamespaces, "metrics-service-monitor-namespaces", []string{"monitoring-hd"}, "namespaces of the ServiceMonitors that it uses")
	f.StringSliceVar(&m.serviceNames, "metrics-service-monitor-names", nil, "names of those ServiceMonitors (default all)")
	f.Int32Var(&m.shards, "prometheus-shards", 0, "how many instances share the targets (default one)")
	f.StringVar(&m.remoteWrite, "remote-write-endpoint", "", "URL to which it sends what it scrapes (default none)")

	f.BoolVar(&o.dryRun, "dry-run", false, "print the Simulation as YAML, and make none")
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

// verbosities are what the driver may be told to log.
func verbosities() []string { return []string{"error", "warn", "info", "debug"} }

// defaultDriverImage is the image that was made of the source which this program was made of.
func defaultDriverImage(version string) string {
	// What a tag may not hold, as the plus of a version's build, becomes a dash.
	return driverRepository + ":" + regexp.MustCompile(`[^A-Za-z0-9_.-]`).ReplaceAllString(version, "-")
}

// runHelp is the long help of run.
const runHelp = `run makes a Simulation in the cluster of the kubeconfig: sk-ctrl, which has to run there, then
starts a driver that replays the trace on the cluster's simulated nodes. It returns at once, or with --watch when the
simulation has ended. docs/running.md says how to set up a cluster.

The trace is read by the driver, not here: a path is one on the node, and it has to be absolute. Secrets for a bucket are
named with --driver-secrets.

A Prometheus is made for the simulation, unless --disable-metrics is given. That needs the Prometheus operator; without it
and without a flag for metrics, they are left out.

Durations: ` + timespec.AcceptedDurations + `.

Exit status: 0 done, 1 failed (with --watch: the simulation too), 2 wrong usage, 130 interrupted. An interrupted
simulation goes on.`
