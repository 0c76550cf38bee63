package results

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Recorder keeps what happens to pods, nodes and events. All methods are safe for concurrent use;
// none keeps an object it is given. Times are instants of the clock.
//
// Pods and nodes are told apart by UID, so it does no harm to tell the recorder the same thing twice.
// A pod that came and went between two things told is missed, unless its deletion was one of them.
type Recorder struct {
	mu      sync.Mutex
	strings interner
	owners  map[Owner]*Owner
	classes classTable
	// resources are those of all pods and nodes seen.
	resources resourceTable

	pods     map[string]*podRecord
	nodes    map[string]*nodeRecord
	podSeen  instant // when the recorder last heard of any pod: a gap can't have begun before
	nodeSeen instant
	events   []Event
	problems int

	standing [stages]int
	deleted  int
	lags     lagWindow
}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder {
	return &Recorder{
		strings:   interner{},
		owners:    map[Owner]*Owner{},
		classes:   classTable{index: map[string]int{}},
		resources: newResourceTable(),
		pods:      map[string]*podRecord{},
		nodes:     map[string]*nodeRecord{},
	}
}

// PodChanged takes in a pod that was added or updated.
func (r *Recorder) PodChanged(now time.Time, pod *corev1.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.podSeen = instantOf(now)
	r.podChanged(pod, watched(r.podSeen))
}

// PodDeleted takes in a pod that is gone, as it was last.
func (r *Recorder) PodDeleted(now time.Time, pod *corev1.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.podSeen = instantOf(now)
	p := r.podChanged(pod, watched(r.podSeen))
	r.podGone(p, r.podSeen)
}

// PodsListed takes in all pods there are, at first or after a watch was cut. What changed unseen gets
// the object's own times, as far as they lie in the gap; pods that are not in the list are gone, since
// now.
func (r *Recorder) PodsListed(now time.Time, pods []*corev1.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := listed(r.podSeen, instantOf(now))
	r.podSeen = instantOf(now)
	here := make(map[*podRecord]struct{}, len(pods))
	for _, pod := range pods {
		here[r.podChanged(pod, at)] = struct{}{}
	}
	for _, p := range r.pods {
		if _, ok := here[p]; !ok && p.deleted == 0 {
			r.podGone(p, r.podSeen)
		}
	}
}

func (r *Recorder) podChanged(pod *corev1.Pod, at stamp) *podRecord {
	uid := keyOf(pod)
	p, ok := r.pods[uid]
	if !ok {
		p = r.newPod(uid, pod)
		r.pods[uid] = p
	}
	before := p.stage()
	if p.deleted != 0 {
		p.deleted = 0
		r.deleted--
	}
	r.update(p, pod, at)
	r.standing[before]--
	r.standing[p.stage()]++
	return p
}

func (r *Recorder) podGone(p *podRecord, at instant) {
	r.standing[p.stage()]--
	p.setDeleted(at)
	r.standing[stageNone]++
	r.deleted++
}

// NodeChanged takes in a node that was added or updated.
func (r *Recorder) NodeChanged(now time.Time, node *corev1.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodeSeen = instantOf(now)
	r.nodeChanged(node, watched(r.nodeSeen))
}

// NodeDeleted takes in a node that is gone.
func (r *Recorder) NodeDeleted(now time.Time, node *corev1.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodeSeen = instantOf(now)
	if n, ok := r.nodes[keyOf(node)]; ok && n.deleted == 0 {
		n.setDeleted(r.nodeSeen)
	}
}

// NodesListed takes in all nodes there are, as [Recorder.PodsListed] does pods.
func (r *Recorder) NodesListed(now time.Time, nodes []*corev1.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := listed(r.nodeSeen, instantOf(now))
	r.nodeSeen = instantOf(now)
	here := make(map[*nodeRecord]struct{}, len(nodes))
	for _, node := range nodes {
		here[r.nodeChanged(node, at)] = struct{}{}
	}
	for _, n := range r.nodes {
		if _, ok := here[n]; !ok && n.deleted == 0 {
			n.setDeleted(r.nodeSeen)
		}
	}
}

func (r *Recorder) nodeChanged(node *corev1.Node, at stamp) *nodeRecord {
	uid := keyOf(node)
	n, ok := r.nodes[uid]
	if !ok {
		n = r.newNode(uid, node)
		r.nodes[uid] = n
	}
	n.deleted = 0
	r.updateNode(n, node, at)
	return n
}

// EventReplayed takes in an event that the replay has carried out.
func (r *Recorder) EventReplayed(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Problems = slices.Clone(e.Problems)
	r.events = append(r.events, e)
	r.problems += len(e.Problems)
	r.lags.add(e.Lag)
}

// Counts is how things stand now, for a progress display.
type Counts struct {
	// Pods that exist, and Deleted, those that don't any more.
	Pending, Starting, Running, Succeeded, Failed, Deleted int
	Nodes, NodesReady                                      int
	Events, Problems                                       int
	// LagP99 is of the last 1,000 events.
	LagP99 time.Duration
}

// Counts returns how things stand.
func (r *Recorder) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Counts{
		Pending:   r.standing[stagePending],
		Starting:  r.standing[stageStarting],
		Running:   r.standing[stageRunning],
		Succeeded: r.standing[stageSucceeded],
		Failed:    r.standing[stageFailed],
		Deleted:   r.deleted,
		Events:    len(r.events),
		Problems:  r.problems,
		LagP99:    r.lags.p99(),
	}
	for _, n := range r.nodes {
		if n.deleted != 0 {
			continue
		}
		c.Nodes++
		if n.last().ready {
			c.NodesReady++
		}
	}
	return c
}

// keyOf tells objects apart; one without a UID, which no API server makes, by its name.
func keyOf(obj metav1.Object) string {
	if uid := obj.GetUID(); uid != "" {
		return string(uid)
	}
	return obj.GetNamespace() + "/" + obj.GetName()
}

// lagWindow holds the lags of the last events.
type lagWindow struct {
	lags []time.Duration
	next int
}

const lagWindowSize = 1000

func (w *lagWindow) add(lag time.Duration) {
	if len(w.lags) < lagWindowSize {
		w.lags = append(w.lags, lag)
		return
	}
	w.lags[w.next] = lag
	w.next = (w.next + 1) % lagWindowSize
}

func (w *lagWindow) p99() time.Duration {
	sorted := slices.Clone(w.lags)
	slices.Sort(sorted)
	return quantile(sorted, 0.99)
}
