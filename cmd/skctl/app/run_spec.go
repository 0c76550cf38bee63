package app

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/hooks"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/words"
)

// The maximum lengths of names. Names of Services and Pods, which have at most 63 characters, are
// derived from them.
const (
	maxSimulationName  = 49
	maxNamespacePrefix = 40
	maxNamespaceName   = 63
)

// problems collects errors of flags.
type problems []error

func (p *problems) check(err error) {
	if err != nil {
		*p = append(*p, err)
	}
}

// simulation converts the flags to a Simulation, and returns all their errors at once.
func (o *runOptions) simulation(cmd *cobra.Command, name string, now time.Time) (*simkubev1.Simulation, error) {
	var wrong problems
	wrong.check(checkName("NAME", name, maxSimulationName))
	sim := &simkubev1.Simulation{
		TypeMeta:   metav1.TypeMeta{APIVersion: simkubev1.GroupVersion.String(), Kind: "Simulation"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
	}
	if o.skipMount {
		sim.Annotations = map[string]string{simkubev1.AnnotationSkipLocalVolumeMount: "true"}
	}
	spec := &sim.Spec
	spec.Driver = o.driver(&wrong)
	if cmd.Flags().Changed("duration") {
		wrong.check(flagError("duration", checkDuration(o.duration)))
		spec.Duration = &o.duration
	}
	if !(o.speed > 0) || math.IsInf(o.speed, 0) {
		wrong.check(fmt.Errorf("invalid --speed %v: must be more than 0", o.speed))
	}
	spec.Speed = &o.speed
	if o.repetitions < 1 {
		wrong.check(fmt.Errorf("invalid --repetitions %d: must be at least 1", o.repetitions))
	}
	spec.Repetitions = &o.repetitions
	if o.startPaused {
		spec.PausedTime = ptr.To(metav1.NewTime(now.UTC().Truncate(time.Second)))
	}
	if o.reschedule {
		spec.RescheduleInterruptedBarePods = &o.reschedule
	}
	spec.LifecycleParams = o.lifecycle(&wrong)
	if !o.disableMetrics {
		spec.Metrics = o.metrics.spec(cmd, &wrong)
	}
	var err error
	spec.Hooks, err = readHooks(o.hooks)
	wrong.check(flagError("hooks", err))
	spec.Results, err = parseResults(o.results)
	wrong.check(flagError("results", err))
	if o.dryRun && o.watch {
		wrong.check(errors.New("--dry-run and --watch: only one of them can be used"))
	}
	return sim, errors.Join(wrong...)
}

func (o *runOptions) driver(wrong *problems) simkubev1.SimulationDriver {
	if o.image == "" {
		wrong.check(errors.New("invalid --driver-image: must not be empty"))
	}
	if o.port < 1 || o.port > math.MaxUint16 {
		wrong.check(fmt.Errorf("invalid --driver-port %d: must be 1 to %d", o.port, math.MaxUint16))
	}
	wrong.check(checkName("--driver-namespace", o.namespace, maxNamespaceName))
	wrong.check(checkName("--virtual-ns-prefix", o.prefix, maxNamespacePrefix))
	wrong.check(flagError("trace-path", checkDriverTrace(o.trace)))
	if !slices.Contains(verbosities(), o.verbosity) {
		wrong.check(fmt.Errorf("invalid --driver-verbosity %q: must be %s", o.verbosity, words.Or(verbosities()...)))
	}
	wrong.check(flagError("driver-secrets", checkObjectNames(o.secrets...)))
	args := []string{"--verbosity", o.verbosity}
	if o.failFast {
		args = append(args, "--fail-fast")
	}
	return simkubev1.SimulationDriver{
		Image: o.image, Namespace: o.namespace, Port: o.port, TracePath: o.trace,
		Args: args, Secrets: o.secrets, VirtualNsPrefix: o.prefix,
	}
}

// lifecycle returns nil if nothing is delayed.
func (o *runOptions) lifecycle(wrong *problems) *simkubev1.LifecycleParams {
	params := simkubev1.LifecycleParams{
		ImagePullDelay: o.imagePull, ImagePullJitter: o.imagePullJitter,
		PodStartupDelay: o.podStartup, PodStartupJitter: o.podStartupJitter,
	}
	for _, ms := range []struct {
		flag  string
		value int64
	}{
		{"image-pull-delay", o.imagePull},
		{"image-pull-jitter", o.imagePullJitter},
		{"pod-startup-delay", o.podStartup},
		{"pod-startup-jitter", o.podStartupJitter},
	} {
		if ms.value < 0 {
			wrong.check(fmt.Errorf("invalid --%s %d: must be 0 or more milliseconds", ms.flag, ms.value))
		}
	}
	if params == (simkubev1.LifecycleParams{}) {
		return nil
	}
	return &params
}

// readHooks reads lists of files; nil if there are no hooks.
func readHooks(lists []string) (*simkubev1.SimulationHooks, error) {
	var paths []string
	for _, list := range lists {
		for _, path := range filepath.SplitList(list) {
			if path != "" {
				paths = append(paths, path)
			}
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	return hooks.ReadFiles(paths...)
}

func checkDuration(text string) error {
	d, err := timespec.ParseDuration(text)
	if err == nil && d == 0 {
		return errors.New("must be more than 0")
	}
	return err
}

func checkName(what, name string, longest int) error {
	if len(name) > longest || !dnsLabel.MatchString(name) {
		return fmt.Errorf("invalid %s %q: must be at most %d lower-case letters, digits and dashes, and begin and end with a letter or digit", what, name, longest)
	}
	return nil
}

// maxObjectName is Kubernetes' own limit.
const maxObjectName = 253

// checkObjectNames checks names of Secrets, ConfigMaps and the like.
func checkObjectNames(names ...string) error {
	valid := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	for _, name := range names {
		if len(name) > maxObjectName || !valid.MatchString(name) {
			return fmt.Errorf("%q: must be an object's name of lower-case letters, digits, dashes and dots", name)
		}
	}
	return nil
}
