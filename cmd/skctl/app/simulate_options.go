package app

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/repetition"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/timespec"
)

// simulateOptions are the values of simulate's flags.
type simulateOptions struct {
	time, duration, name, output               string
	speed                                      float64
	seed                                       uint64
	repetitions, parallel                      int
	nodes, shape                               string
	scheduler, skel                            string
	with                                       []string
	crds, stages                               []string
	autoscaler                                 autoscalerFlags
	customControllers                          string
	imagePull, imagePullJitter                 string
	podStartup, podStartupJitter               string
	rescheduleBarePods, overwrite, open, align bool
	strict                                     bool
	kubeAPIQPS                                 float32
}

func (o *simulateOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.time, "time", string(simulation.Virtual), "clock of the replay: virtual, which skips idle time, or real")
	f.Float64VarP(&o.speed, "speed", "s", 1, "seconds of the trace per second, with --time real; controllers and scheduler are not sped up")
	f.Uint64Var(&o.seed, "seed", 0, "seed that makes a simulation in virtual time repeatable; repetitions use consecutive seeds (0: random)")
	f.IntVarP(&o.repetitions, "repetitions", "N", 1, "number of times to run the simulation")
	f.IntVar(&o.parallel, "parallel", 0, "number of repetitions to run at once (0: as many as cores and memory allow)")
	f.StringVarP(&o.duration, "duration", "D", "", "duration of the trace to replay, e.g. 2h (default all)")
	addClusterFlags(cmd, &o.nodes, &o.shape, &o.scheduler, &o.crds, &o.stages, &o.kubeAPIQPS)
	f.Lookup("nodes").Usage = "simulated nodes: a number, a file of Node manifests, recorded for those of the trace, or auto for as many as the trace needs, with the devices and labels that its pods ask for"
	f.Lookup("nodes").DefValue = "auto"
	_ = cmd.RegisterFlagCompletionFunc("nodes", cobra.FixedCompletions([]string{"auto", "recorded"}, cobra.ShellCompDirectiveDefault))
	o.nodes = "auto"
	o.autoscaler.add(cmd)
	f.StringArrayVar(&o.with, "with", nil, "command line of a program to run beside the replay, with --time real: sh runs it, with KUBECONFIG set (repeatable)")
	f.StringVar(&o.imagePull, "image-pull-delay", "0", "time that pods take to pull images: milliseconds, or e.g. 2s")
	f.StringVar(&o.imagePullJitter, "image-pull-jitter", "0", "maximum of this delay; if set, each delay is random between the two")
	f.StringVar(&o.podStartup, "pod-startup-delay", "0", "time that pods then take to become ready: milliseconds, or e.g. 2s")
	f.StringVar(&o.podStartupJitter, "pod-startup-jitter", "0", "maximum of this delay; if set, each delay is random between the two")
	f.BoolVar(&o.rescheduleBarePods, "reschedule-interrupted-bare-pods", false, "recreate a pod without an owner if something other than the trace deletes it")
	f.StringVar(&o.customControllers, "custom-controllers", string(simulation.StandIn), "what makes the pods of custom workloads such as Volcano jobs: stand-in, or none if their controllers are in the cluster")
	f.StringVar(&o.skel, "skel", "", "SKEL program that transforms the trace before the replay, see skctl transform")
	f.BoolVar(&o.align, "align", true, "with CronJobs and --time real at speed 1, first wait up to a minute until the clock's seconds match the trace's")
	f.StringVar(&o.name, "name", "", "name of the simulation (default derived from the trace's)")
	f.String("virtual-ns-prefix", "", "prefix of the names of simulated namespaces")
	_ = f.MarkDeprecated("virtual-ns-prefix", "it has no effect: namespaces keep their names, as the cluster belongs to the simulation alone")
	f.StringVarP(&o.output, "output", "o", "", "folder for the results (default the trace's name and the time, in this folder)")
	f.BoolVar(&o.overwrite, "overwrite", false, "replace existing results in that folder")
	f.BoolVar(&o.strict, "strict", false, "exit with status 3 if the replay has deviations from the recording; fail if a command of --skel changes nothing")
	f.BoolVar(&o.open, "open", false, "open the report in a browser at the end (of repetitions, the page that compares them)")

	_ = cmd.MarkFlagDirname("output")
	_ = cmd.MarkFlagFilename("skel", "skel")
	_ = cmd.RegisterFlagCompletionFunc("custom-controllers", cobra.FixedCompletions(
		[]string{string(simulation.StandIn), string(simulation.NoStandIn)}, cobra.ShellCompDirectiveNoFileComp))
	none := cobra.NoFileCompletions
	for _, name := range []string{
		"speed", "seed", "repetitions", "parallel", "duration", "name",
		"image-pull-delay", "image-pull-jitter", "pod-startup-delay", "pod-startup-jitter",
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, none)
	}
	_ = cmd.RegisterFlagCompletionFunc("time", cobra.FixedCompletions([]string{string(simulation.Virtual), string(simulation.Real)}, cobra.ShellCompDirectiveNoFileComp))
}

// addClusterFlags adds the flags that simulate and cluster up have in common.
func addClusterFlags(cmd *cobra.Command, nodes, shape, scheduler *string, crds, stages *[]string, qps *float32) {
	f := cmd.Flags()
	f.StringVar(nodes, "nodes", "", "simulated nodes: a number, or a file of Node manifests (default none)")
	f.StringVar(shape, "node-shape", "", "resources of a node if --nodes is not a file, e.g. cpu=16,memory=64Gi,pods=110,label.disktype=ssd,taint.dedicated=x:NoSchedule (default cpu=32,memory=128Gi,pods=110)")
	f.StringVar(scheduler, "scheduler-config", "", "KubeSchedulerConfiguration file")
	f.StringArrayVar(crds, "crds", nil, "file of CustomResourceDefinitions to install (repeatable)")
	f.StringArrayVar(stages, "kwok-stages", nil, "file of KWOK stages that add to, or replace by name, those of SimKube (repeatable)")
	f.Float32Var(qps, "kube-api-qps", 0, "maximum requests per second of scheduler and controllers (0: Kubernetes' default, -1: no limit)")
	for _, name := range []string{"scheduler-config", "crds", "kwok-stages"} {
		_ = cmd.MarkFlagFilename(name, "yaml", "yml", "json")
	}
	_ = cmd.RegisterFlagCompletionFunc("node-shape", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("kube-api-qps", cobra.NoFileCompletions)
}

// spec converts the flags to a specification, and returns all their errors at once.
func (o *simulateOptions) spec(trace string, now time.Time) (simulation.Spec, error) {
	var problems []error
	check := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	clock := simulation.Time(o.time)
	switch {
	case clock != simulation.Virtual && clock != simulation.Real:
		check(fmt.Errorf("invalid --time %q: must be %s or %s", o.time, simulation.Virtual, simulation.Real))
	case clock == simulation.Virtual && o.speed != 1:
		check(fmt.Errorf("invalid --speed %v: requires --time %s; virtual time runs as fast as possible", o.speed, simulation.Real))
	}
	if clock == simulation.Real && o.seed != 0 {
		check(fmt.Errorf("invalid --seed %d: requires --time %s; on the wall clock simulations are not repeatable", o.seed, simulation.Virtual))
	}
	check(checkWith(o.with, clock))
	custom := simulation.CustomControllers(o.customControllers)
	if custom != simulation.StandIn && custom != simulation.NoStandIn {
		check(fmt.Errorf("invalid --custom-controllers %q: must be %s or %s", o.customControllers, simulation.StandIn, simulation.NoStandIn))
	}
	if o.repetitions < 1 {
		check(fmt.Errorf("invalid --repetitions %d: must be at least 1", o.repetitions))
	}
	if o.parallel < 0 {
		check(fmt.Errorf("invalid --parallel %d: must be 0 or more", o.parallel))
	}
	check(flagError("seed", repetition.CheckSeeds(o.seed, o.repetitions)))
	if !(o.speed > 0) || math.IsInf(o.speed, 0) {
		check(fmt.Errorf("invalid --speed %v: must be more than 0", o.speed))
	}
	spec := simulation.Spec{
		Name:                          o.name,
		Trace:                         trace,
		Output:                        o.output,
		Overwrite:                     o.overwrite,
		Time:                          clock,
		Speed:                         o.speed,
		With:                          o.with,
		SchedulerConfig:               o.scheduler,
		CRDs:                          o.crds,
		Stages:                        o.stages,
		KubeAPIQPS:                    o.kubeAPIQPS,
		RescheduleInterruptedBarePods: o.rescheduleBarePods,
		CustomControllers:             custom,
		Seed:                          o.seed,
		Align:                         o.align,
	}
	var err error
	if o.duration != "" {
		spec.Duration, err = timespec.ParseDuration(o.duration)
		if err == nil && spec.Duration == 0 {
			err = errors.New("must be more than 0")
		}
		check(flagError("duration", err))
	}
	spec.Delays, err = o.delays()
	check(err)
	spec.Nodes, err = nodes.ParseSpec(o.nodes, o.shape)
	check(err)
	spec.Autoscaler, err = o.autoscaler.spec()
	check(err)
	check(checkFiles("nodes", spec.Nodes.File))
	check(checkFiles("scheduler-config", o.scheduler))
	check(checkFiles("crds", o.crds...))
	check(checkFiles("skel", o.skel))
	check(checkFiles("kwok-stages", o.stages...))
	if spec.Name == "" {
		spec.Name = nameOf(trace)
	}
	check(checkDNSLabel("name", spec.Name))
	if spec.Output == "" {
		spec.Output = nameOf(trace) + "-" + now.Format("20060102-150405")
	}
	return spec, errors.Join(problems...)
}

func (o *simulateOptions) delays() (mutate.Delays, error) {
	var out mutate.Delays
	var problems []error
	for _, d := range []struct {
		flag, value string
		into        *time.Duration
	}{
		{"image-pull-delay", o.imagePull, &out.ImagePull},
		{"image-pull-jitter", o.imagePullJitter, &out.ImagePullJitter},
		{"pod-startup-delay", o.podStartup, &out.PodStartup},
		{"pod-startup-jitter", o.podStartupJitter, &out.PodStartupJitter},
	} {
		value := d.value
		if value != "" && strings.Trim(value, "0123456789") == "" {
			value += "ms"
		}
		var err error
		*d.into, err = timespec.ParseDuration(value)
		problems = append(problems, flagError(d.flag, err))
	}
	problems = append(problems,
		checkJitter("image-pull", out.ImagePull, out.ImagePullJitter),
		checkJitter("pod-startup", out.PodStartup, out.PodStartupJitter))
	return out, errors.Join(problems...)
}

// checkJitter rejects a jitter below its delay, of which it is the upper bound.
func checkJitter(flag string, delay, jitter time.Duration) error {
	if jitter == 0 || jitter > delay {
		return nil
	}
	return fmt.Errorf("invalid --%s-jitter %s: must be more than --%s-delay, %s, of which it is the maximum", flag, jitter, flag, delay)
}

func flagError(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("invalid --%s: %w", flag, err)
}

func checkFiles(flag string, paths ...string) error {
	var problems []error
	for _, path := range paths {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			err = errors.New("must be a file, and is a folder")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid --%s %s: %w", flag, path, reason(err)))
		}
	}
	return errors.Join(problems...)
}

var (
	dnsLabel    = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	notDNSLabel = regexp.MustCompile(`[^a-z0-9]+`)
)

// maxName leaves room for the prefixes and suffixes in the names of objects.
const maxName = 40

func checkDNSLabel(flag, name string) error {
	if len(name) > maxName || !dnsLabel.MatchString(name) {
		return fmt.Errorf("invalid --%s %q: must be at most %d lower-case letters, digits and dashes, and begin and end with a letter or digit", flag, name, maxName)
	}
	return nil
}

// nameOf derives a simulation's name from a trace's path.
func nameOf(trace string) string {
	base := filepath.Base(trace)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	name := strings.Trim(notDNSLabel.ReplaceAllString(strings.ToLower(base), "-"), "-")
	name = strings.Trim(name[:min(len(name), maxName)], "-")
	if name == "" {
		return "simulation"
	}
	return name
}
