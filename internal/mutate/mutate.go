package mutate

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/lifecycle"
)

// Delays is how long simulated pods take to start, in trace time. A jitter is the upper bound of a delay
// drawn between the two; one that is not above its delay has no effect.
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

// OwnerGetter looks up owners. GetOwner gives the metadata of the object that ref names, found in
// namespace unless its kind is cluster-scoped, with its APIVersion and Kind set. One that does not exist, or
// whose UID is another, gives an error for which apierrors.IsNotFound holds. It is called concurrently.
type OwnerGetter interface {
	GetOwner(ctx context.Context, ref metav1.OwnerReference, namespace string) (*metav1.PartialObjectMetadata, error)
}

// Config is what a Mutator needs to know.
type Config struct {
	// Simulation is the simulation's name.
	Simulation string
	// NamespacePrefix begins the names of simulated namespaces; empty means the default.
	NamespacePrefix string
	Root            Root
	// Lifecycles are those recorded; nil means none.
	Lifecycles *lifecycle.Store
	Delays     Delays
	// Speed is how many seconds of the trace go by in one; 0 means 1.
	Speed float64
	// Clock tells the time of admission; nil means the system's clock.
	Clock  clock.PassiveClock
	Owners OwnerGetter
}

// Mutator changes the pods of one simulation. It is safe for concurrent use.
type Mutator struct{}

// New makes a Mutator.
func New(cfg Config) (*Mutator, error) { return nil, errors.ErrUnsupported }

// Mutate changes a pod that is about to be created, its namespace set and its defaults filled in, and tells
// whether it did. A pod of the simulation that comes again, with what it got the first time, keeps that. An
// error means that the pod must not be created: it may be one of the simulation's, and could land on a real
// node.
func (m *Mutator) Mutate(ctx context.Context, pod *corev1.Pod) (changed bool, err error) {
	return false, errors.ErrUnsupported
}

// Preview is Mutate for a pod that will not be created (a dry run): it counts nothing.
func (m *Mutator) Preview(ctx context.Context, pod *corev1.Pod) (changed bool, err error) {
	return false, errors.ErrUnsupported
}
