package mutate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/trace"
)

// Delays are the delays of the start of simulated pods, in trace time. A delay is random between it
// and its jitter; a jitter that is not greater than its delay has no effect.
type Delays struct {
	ImagePull        time.Duration `json:"imagePull,omitzero"`
	ImagePullJitter  time.Duration `json:"imagePullJitter,omitzero"`
	PodStartup       time.Duration `json:"podStartup,omitzero"`
	PodStartupJitter time.Duration `json:"podStartupJitter,omitzero"`
}

// Root is the SimulationRoot, which owns everything that is simulated.
type Root struct {
	Name string
	UID  types.UID
}

// Config is the configuration of a Mutator. Simulation, Root and Owners are required.
type Config struct {
	// Simulation is the simulation's name.
	Simulation string
	// Shared means that the cluster has other workloads: namespaces and the classes of the trace then
	// have other names in the cluster, and pods are restricted to simulated nodes. Otherwise pods are
	// placed as they were recorded.
	Shared bool
	// Namespaces are the names of simulated namespaces in a shared cluster; nil means those with the
	// default prefix.
	Namespaces *virtualns.Names
	Root       Root
	// Lifecycles are the recorded lifecycles; nil means none.
	Lifecycles *lifecycle.Store
	Delays     Delays
	// Speed is the number of seconds of trace time per second; 0 means 1. The run times and the delays
	// of pods are divided by it.
	Speed float64
	// Numbers are the numbers of a previous Mutator of the same simulation, to continue from; nil
	// means none.
	Numbers map[string]int
	// OnNumber is called by the goroutine of Mutate when Numbers has changed; it may be nil.
	OnNumber func()
	// Exclusive means that Mutate is called only for pods in the simulation's namespaces. Pods that
	// are not owned by the root are then pods of the simulation, too, since something in it creates
	// them without an owner reference. All pods are, in a cluster that is not shared.
	Exclusive bool
	// Clock is the clock for the time of admission; nil means the system's clock.
	Clock  clock.PassiveClock
	Owners OwnerGetter
}

// Mutator changes the pods of one simulation. It is safe for concurrent use.
type Mutator struct {
	cfg     Config
	owners  *ownerChains
	numbers *numbers
	// recorded has the owners under which the trace has the pods.
	recorded recordedOwners
}

// New returns a Mutator.
func New(cfg Config) (*Mutator, error) {
	if cfg.Speed == 0 {
		cfg.Speed = 1
	}
	if cfg.Namespaces == nil {
		cfg.Namespaces = virtualns.New("")
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.RealClock{}
	}
	var problems []error
	if cfg.Simulation == "" {
		problems = append(problems, errors.New("no simulation name"))
	}
	if cfg.Root.UID == "" {
		problems = append(problems, errors.New("no root"))
	}
	if cfg.Owners == nil {
		problems = append(problems, errors.New("no owner getter"))
	}
	if !(cfg.Speed > 0) || math.IsInf(cfg.Speed, 1) {
		problems = append(problems, fmt.Errorf("invalid speed %v: must be a positive number", cfg.Speed))
	}
	if cfg.OnNumber == nil {
		cfg.OnNumber = func() {}
	}
	numbers, err := newNumbers(cfg.Numbers)
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, fmt.Errorf("mutation of pods: %w", err)
	}
	return &Mutator{
		cfg: cfg, owners: newOwnerChains(cfg.Owners, cfg.Root.UID), numbers: numbers, recorded: newRecordedOwners(),
	}, nil
}

// Numbers returns how many pods each owner has had, for the Config of a Mutator that continues
// after a restart. A pod is counted before Mutate returns. The keys are stable texts: an owner's
// kind and name, and the hash of its pods if it has several types of pods.
func (m *Mutator) Numbers() map[string]int { return m.numbers.all() }

// Known must be called for the pods that a previous Mutator of the same simulation has changed, so
// that their numbers are not used again. It ignores other pods.
func (m *Mutator) Known(ctx context.Context, pod *corev1.Pod) error {
	hash, number, tracked := trackingOf(pod)
	if !tracked {
		return nil
	}
	chain, err := m.chainOf(ctx, pod)
	if err != nil || !chain.ours {
		return err
	}
	m.numbers.atLeast(keyOf(m.ownerOf(pod, chain, m.originalNamespace(pod), hash), hash), number+1)
	return nil
}

// Mutate changes a pod that is to be created, with its namespace and defaults set, and reports
// whether it did. If a pod of the simulation is admitted again, it keeps what it got the first
// time. If there is an error, the pod must not be created: it may be a pod of the simulation, and
// could be scheduled to a real node.
//
// The pod is counted as one of its owner's pods, even if it is then not created for another reason.
func (m *Mutator) Mutate(ctx context.Context, pod *corev1.Pod) (changed bool, err error) {
	return m.mutate(ctx, pod, func(key numberKey) int {
		defer m.cfg.OnNumber()
		return m.numbers.take(key)
	})
}

// Preview is like Mutate for a pod that will not be created (a dry run): it does not count the pod.
func (m *Mutator) Preview(ctx context.Context, pod *corev1.Pod) (changed bool, err error) {
	return m.mutate(ctx, pod, m.numbers.next)
}

func (m *Mutator) mutate(ctx context.Context, pod *corev1.Pod, number func(numberKey) int) (bool, error) {
	chain, err := m.chainOf(ctx, pod)
	if err != nil || !chain.ours && !m.cfg.Exclusive && m.cfg.Shared {
		return false, err
	}
	c := changes{pod: pod}
	namespace := m.originalNamespace(pod)
	c.annotate(simkubev1.AnnotationOriginalNamespace, namespace)
	for key, value := range simkubev1.SimulatedLabels(m.cfg.Simulation) {
		c.label(key, value)
	}
	var recorded lifecycle.Recorded
	if chain.ours {
		if recorded, err = m.track(&c, chain, namespace, number); err != nil {
			return c.made, err
		}
	}
	c.unbind()
	if m.cfg.Shared {
		c.place()
	}
	m.delay(&c)
	duration, _ := lifecycle.Duration(recorded.Lifecycle)
	switch recorded.Ending {
	case lifecycle.Completes:
		m.end(&c, simkubev1.LabelStageComplete, duration)
	case lifecycle.Deleted:
		m.end(&c, simkubev1.LabelStageInterrupt, duration)
	case lifecycle.RunsOn:
	}
	return c.made, nil
}

// track sets the pod's hash and its number among its owner's pods, unless it has them, and returns
// the recorded lifecycle for them.
func (m *Mutator) track(c *changes, chain chain, namespace string, number func(numberKey) int) (lifecycle.Recorded, error) {
	hash, seq, tracked := trackingOf(c.pod)
	if !tracked {
		var err error
		if hash, err = podHash(m.recordedSpec(&c.pod.Spec)); err != nil {
			return lifecycle.Recorded{}, fmt.Errorf("pod %s: %w", nameOf(c.pod), err)
		}
	}
	owner := m.ownerOf(c.pod, chain, namespace, hash)
	m.recorded.add(c.pod, hash, owner)
	if !tracked {
		seq = number(keyOf(owner, hash))
		c.trackAs(hash, seq)
	}
	recorded, _ := m.cfg.Lifecycles.Lookup(owner, hash, seq)
	return recorded, nil
}

// recordedSpec returns the spec with the names of classes in the recording, for which the hash is
// computed.
func (m *Mutator) recordedSpec(spec *corev1.PodSpec) *corev1.PodSpec {
	if !m.cfg.Shared {
		return spec
	}
	recorded := *spec
	prefix := simkubev1.VirtualName(m.cfg.Namespaces.Prefix(), "")
	recorded.PriorityClassName = strings.TrimPrefix(recorded.PriorityClassName, prefix)
	if recorded.RuntimeClassName != nil {
		recorded.RuntimeClassName = new(strings.TrimPrefix(*recorded.RuntimeClassName, prefix))
	}
	return &recorded
}

func podHash(spec *corev1.PodSpec) (uint64, error) {
	tree, err := runtime.DefaultUnstructuredConverter.ToUnstructured(spec)
	if err != nil {
		return 0, fmt.Errorf("encode spec: %w", err)
	}
	hash, err := trace.HashPodSpec(tree)
	if err != nil {
		return 0, fmt.Errorf("hash spec: %w", err)
	}
	return hash, nil
}

// nameOf returns the name of a pod for errors. A pod that is being created may have only a prefix
// of a name.
func nameOf(pod *corev1.Pod) string {
	name := pod.Name
	if name == "" {
		name = pod.GenerateName + "*"
	}
	return trace.NamespacedName(pod.Namespace, name)
}
