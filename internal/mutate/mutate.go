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
	"simkube.io/simkube/trace"
)

// Delays is how long simulated pods take to start, in trace time. A jitter is the upper bound of a delay
// that is drawn between the two; one that is not above its delay has no effect.
type Delays struct {
	ImagePull        time.Duration `json:"imagePull,omitzero"`
	ImagePullJitter  time.Duration `json:"imagePullJitter,omitzero"`
	PodStartup       time.Duration `json:"podStartup,omitzero"`
	PodStartupJitter time.Duration `json:"podStartupJitter,omitzero"`
}

// Root is the SimulationRoot to which all that is simulated leads.
type Root struct {
	Name string
	UID  types.UID
}

// Config is what a Mutator needs to know. Simulation, Root and Owners have no default.
type Config struct {
	// Simulation is the simulation's name.
	Simulation string
	// NamespacePrefix begins the names of simulated namespaces; empty means the default.
	NamespacePrefix string
	Root            Root
	// Lifecycles are those recorded; nil means none.
	Lifecycles *lifecycle.Store
	Delays     Delays
	// Speed is how many seconds of the trace go by in one; 0 means 1. The run times and the delays of pods
	// are divided by it.
	Speed float64
	// Numbers are those of an earlier Mutator of the same simulation, from which this one goes on; nil means none.
	Numbers map[string]int
	// OnNumber is called when Numbers has changed, from whoever calls Mutate; nil means nobody is told.
	OnNumber func()
	// Exclusive says that only pods of the simulation's namespaces are offered. Those that do not lead to the root are kept on simulated
	// nodes, too: something in the simulation makes them without saying so.
	Exclusive bool
	// Shared says that the cluster has other workloads: the classes that the trace brings have
	// another name in it.
	Shared bool
	// Clock tells the time of admission; nil means the system's clock.
	Clock  clock.PassiveClock
	Owners OwnerGetter
}

// Mutator changes the pods of one simulation. It is safe for concurrent use.
type Mutator struct {
	cfg     Config
	owners  *ownerChains
	numbers *numbers
}

// New makes a Mutator.
func New(cfg Config) (*Mutator, error) {
	if cfg.Speed == 0 {
		cfg.Speed = 1
	}
	if cfg.NamespacePrefix == "" {
		cfg.NamespacePrefix = simkubev1.DefaultVirtualNsPrefix
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
		problems = append(problems, errors.New("no way to look up owners"))
	}
	if !(cfg.Speed > 0) || math.IsInf(cfg.Speed, 1) {
		problems = append(problems, fmt.Errorf("speed %v is not a positive number", cfg.Speed))
	}
	if cfg.OnNumber == nil {
		cfg.OnNumber = func() {}
	}
	numbers, err := newNumbers(cfg.Numbers)
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, fmt.Errorf("mutation of pods: %w", err)
	}
	return &Mutator{cfg: cfg, owners: newOwnerChains(cfg.Owners, cfg.Root.UID), numbers: numbers}, nil
}

// Numbers says how many pods each owner has had, for the Config of a Mutator that is to go on counting after a
// restart. A pod is counted in them before Mutate returns. The keys are text, and stay what they are: an owner's kind and name, and the hash of
// its pods where that tells them apart.
func (m *Mutator) Numbers() map[string]int { return m.numbers.all() }

// Known tells of a pod that an earlier Mutator of the same simulation has changed: its number is taken. Pods of others do nothing.
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

// Mutate changes a pod that is about to be created, its namespace set and its defaults filled in, and tells
// whether it did. A pod of the simulation that comes again, with what it got the first time, keeps that. An
// error means that the pod must not be created: it may be one of the simulation's, and could land on a real
// node.
//
// A pod counts as one of its owner's from here on, even if something else then keeps it from being created.
func (m *Mutator) Mutate(ctx context.Context, pod *corev1.Pod) (changed bool, err error) {
	return m.mutate(ctx, pod, func(key numberKey) int {
		defer m.cfg.OnNumber()
		return m.numbers.take(key)
	})
}

// Preview is Mutate for a pod that will not be created (a dry run): it counts nothing.
func (m *Mutator) Preview(ctx context.Context, pod *corev1.Pod) (changed bool, err error) {
	return m.mutate(ctx, pod, m.numbers.next)
}

func (m *Mutator) mutate(ctx context.Context, pod *corev1.Pod, number func(numberKey) int) (bool, error) {
	chain, err := m.chainOf(ctx, pod)
	if err != nil || !chain.ours && !m.cfg.Exclusive {
		return false, err
	}
	c := changes{pod: pod}
	namespace := m.originalNamespace(pod)
	c.annotate(simkubev1.AnnotationOriginalNamespace, namespace)
	for key, value := range simkubev1.SimulatedLabels(m.cfg.Simulation) {
		c.label(key, value)
	}
	var recorded trace.Lifecycle
	if chain.ours {
		if recorded, err = m.track(&c, chain, namespace, number); err != nil {
			return c.made, err
		}
	}
	c.place()
	m.delay(&c)
	if duration, finished := lifecycle.Duration(recorded); finished {
		m.complete(&c, duration)
	}
	return c.made, nil
}

// track gives the pod its hash and its number among its owner's pods, unless it has them, and finds its
// recorded lifecycle by them.
func (m *Mutator) track(c *changes, chain chain, namespace string, number func(numberKey) int) (trace.Lifecycle, error) {
	hash, seq, tracked := trackingOf(c.pod)
	if !tracked {
		var err error
		if hash, err = podHash(m.recordedSpec(&c.pod.Spec)); err != nil {
			return trace.Lifecycle{}, fmt.Errorf("pod %s: %w", nameOf(c.pod), err)
		}
	}
	owner := m.ownerOf(c.pod, chain, namespace, hash)
	if !tracked {
		seq = number(keyOf(owner, hash))
		c.trackAs(hash, seq)
	}
	recorded, _ := m.cfg.Lifecycles.Lookup(owner, hash, seq)
	return recorded, nil
}

// recordedSpec returns the spec with the names that classes have in the recording, of which the
// hash is made.
func (m *Mutator) recordedSpec(spec *corev1.PodSpec) *corev1.PodSpec {
	if !m.cfg.Shared {
		return spec
	}
	recorded := *spec
	prefix := simkubev1.VirtualName(m.cfg.NamespacePrefix, "")
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

// nameOf names a pod in errors; one that is being created may only have the beginning of a name.
func nameOf(pod *corev1.Pod) string {
	name := pod.Name
	if name == "" {
		name = pod.GenerateName + "*"
	}
	return trace.NamespacedName(pod.Namespace, name)
}
