package results

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Recorder records what happens to pods, nodes and events. All methods are safe for concurrent use;
// none keeps an object that it is passed. Times are times on the clock.
//
// Objects are identified by UID, so recording the same state twice has no effect. A pod that was
// created and deleted between two calls is missed, unless one of them was PodDeleted.
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
	// decisions are those of an autoscaler; meant are the pods that it launched nodes for, by node.
	decisions []Decision
	meant     map[string][]string

	standing [stages]int
	deleted  int
	lags     lagWindow
	group    func(*corev1.Pod) string
	failures map[types.UID]*creationFailure
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
		failures:  map[types.UID]*creationFailure{},
		meant:     map[string][]string{},
	}
}

// GroupPods sets a function that returns for a pod the group of the recorded pods that it is
// compared with, see [RecordedOwner]; it is empty if there are none. It must be called before the
// first pod is recorded.
func (r *Recorder) GroupPods(group func(*corev1.Pod) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.group = group
}

func (r *Recorder) groupOf(pod *corev1.Pod) string {
	if r.group == nil {
		return ""
	}
	return r.strings.get(r.group(pod))
}

// PodChanged records a pod that was added or updated.
func (r *Recorder) PodChanged(now time.Time, pod *corev1.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.podSeen = instantOf(now)
	r.podChanged(pod, watched(r.podSeen))
}

// PodDeleted records that a pod was deleted, with its last state.
func (r *Recorder) PodDeleted(now time.Time, pod *corev1.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.podSeen = instantOf(now)
	p := r.podChanged(pod, watched(r.podSeen))
	r.podGone(p, r.podSeen)
}

// PodsListed records all pods that exist, at first or after a watch was interrupted. Changes that
// were not seen get the times in the object, limited to the gap; pods that are not in the list
// count as deleted now.
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

// NodeChanged records a node that was added or updated.
func (r *Recorder) NodeChanged(now time.Time, node *corev1.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodeSeen = instantOf(now)
	r.nodeChanged(node, watched(r.nodeSeen))
}

// NodeDeleted records that a node was deleted.
func (r *Recorder) NodeDeleted(now time.Time, node *corev1.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodeSeen = instantOf(now)
	if n, ok := r.nodes[keyOf(node)]; ok && n.deleted == 0 {
		n.setDeleted(r.nodeSeen)
	}
}

// NodesListed records all nodes that exist, as [Recorder.PodsListed] does pods.
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

// EventReplayed records an event that was replayed.
func (r *Recorder) EventReplayed(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Problems = slices.Clone(e.Problems)
	r.events = append(r.events, e)
	r.problems += len(e.Problems)
	r.lags.add(e.Lag)
}

// Counts is the current state, for a progress display.
type Counts struct {
	// Pods that exist, by their state, and those that were deleted.
	Pending, Starting, Running, Succeeded, Failed, Deleted int
	Nodes, NodesReady                                      int
	Events, Problems                                       int
	// LagP99 is of the last 1,000 events.
	LagP99 time.Duration
}

// Counts returns the current state.
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

// keyOf returns the UID of an object. Objects without one, which only tests make, are identified by
// name.
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
