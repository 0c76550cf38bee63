package results

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Recorder keeps what happens to pods, nodes and events. All methods are safe for concurrent use;
// none keeps an object it is given. Times are instants of the clock.
type Recorder struct{}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder { return &Recorder{} }

// PodChanged takes in a pod that was added or updated.
func (r *Recorder) PodChanged(now time.Time, pod *corev1.Pod) {}

// PodDeleted takes in a pod that is gone, as it was last.
func (r *Recorder) PodDeleted(now time.Time, pod *corev1.Pod) {}

// PodsListed takes in all pods there are, after a watch was cut.
func (r *Recorder) PodsListed(now time.Time, pods []*corev1.Pod) {}

// NodeChanged takes in a node that was added or updated.
func (r *Recorder) NodeChanged(now time.Time, node *corev1.Node) {}

// NodeDeleted takes in a node that is gone.
func (r *Recorder) NodeDeleted(now time.Time, node *corev1.Node) {}

// NodesListed takes in all nodes there are, after a watch was cut.
func (r *Recorder) NodesListed(now time.Time, nodes []*corev1.Node) {}

// EventReplayed takes in an event that the replay has carried out.
func (r *Recorder) EventReplayed(e Event) {}

// Counts returns how things stand.
func (r *Recorder) Counts() Counts { return Counts{} }

// Run returns everything recorded so far.
func (r *Recorder) Run(info Info) *Run { return &Run{} }

// Counts is how things stand now, for a progress display.
type Counts struct {
	// Pods that exist, and Deleted, those that don't any more.
	Pending, Starting, Running, Succeeded, Failed, Deleted int
	Nodes, NodesReady                                      int
	Events, Problems                                       int
	// LagP99 is of the last 1,000 events.
	LagP99 time.Duration
}
