// Package sample makes up runs for the tests of results and of its report: a small cluster with a
// first-fit scheduler, simulated event by event from a seed and recorded by a real
// [results.Recorder].
package sample

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/results"
)

// cluster is a simulated cluster. Its clock only moves with the events in its queue.
type cluster struct {
	rec     *results.Recorder
	rand    *rand.Rand
	start   time.Time
	now     time.Time
	queue   queue
	order   int
	nodes   []*node
	waiting []*pod
	names   int
	events  int
	scaleUp bool // nodes are on their way
}

type node struct {
	object                    *corev1.Node
	cpu, memory, gpus, pods   int64
	taint                     string
	usedCPU, usedMem, usedGPU int64
	running                   int64
	gone                      bool
}

type pod struct {
	object *corev1.Pod
	spec   podSpec
	node   *node
	gone   bool
	tries  int
}

type podSpec struct {
	namespace, owner, kind, name string
	cpu, memory, gpus            int64
	runs                         time.Duration // 0: until deleted
	fails                        bool
	toleration                   string
	priority                     string
}

func newCluster(seed uint64, start time.Time) *cluster {
	return &cluster{
		rec:  results.NewRecorder(),
		rand: rand.New(rand.NewPCG(seed, 0)),
		now:  start, start: start,
	}
}

// after calls do after a delay.
func (c *cluster) after(d time.Duration, do func()) {
	c.order++
	heap.Push(&c.queue, item{at: c.now.Add(d), order: c.order, do: do})
}

// at calls do at a time after the start.
func (c *cluster) at(d time.Duration, do func()) { c.after(c.start.Add(d).Sub(c.now), do) }

func (c *cluster) runUntil(end time.Time) {
	for len(c.queue) > 0 && !c.queue[0].at.After(end) {
		next := heap.Pop(&c.queue).(item)
		c.now = next.at
		next.do()
	}
	c.now = end
}

// replayed records an event of the trace, with a plausible lag.
func (c *cluster) replayed(applied, deleted int, problems ...results.Problem) {
	lag := time.Duration(math.Exp(c.rand.NormFloat64()*0.8+0.6) * float64(time.Millisecond))
	c.rec.EventReplayed(results.Event{
		Index:     c.events,
		TraceTime: c.now, Due: c.now, Started: c.now.Add(lag), Done: c.now.Add(lag + lag/2),
		Lag:     lag,
		Applied: applied, Deleted: deleted,
		Problems: problems,
	})
	c.events++
}

// Prices of nodes. Those whose names begin with surgePrefix are spot instances.
const (
	pricePerCore = 0.05
	spotShare    = 0.4
	surgePrefix  = "surge-"
)

// karpenterLabels returns labels as Karpenter sets them, and the price of a node.
func karpenterLabels(name string, cpu int64) (labels map[string]string, price float64) {
	pool, _, _ := strings.Cut(name, "-")
	if strings.HasPrefix(name, surgePrefix) {
		return map[string]string{"karpenter.sh/nodepool": pool, "karpenter.sh/capacity-type": "spot"}, pricePerCore * spotShare * float64(cpu)
	}
	return map[string]string{"karpenter.sh/nodepool": pool, "karpenter.sh/capacity-type": "on-demand"}, pricePerCore * float64(cpu)
}

func (c *cluster) addNode(name, instanceType, zone string, cpu, memoryGiB, gpus int64, taint string) {
	c.names++
	labels, price := karpenterLabels(name, cpu)
	labels[corev1.LabelInstanceTypeStable], labels[corev1.LabelTopologyZone] = instanceType, zone
	n := &node{cpu: cpu * 1000, memory: memoryGiB << 30, gpus: gpus, pods: 110, taint: taint}
	n.object = &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(fmt.Sprintf("node-%06d", c.names)), CreationTimestamp: metav1.NewTime(c.now),
			Labels:      labels,
			Annotations: map[string]string{simkubev1.AnnotationPricePerHour: fmt.Sprintf("%.3f", price)},
		},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(n.cpu, resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(n.memory, resource.BinarySI),
			corev1.ResourcePods:   *resource.NewQuantity(n.pods, resource.DecimalSI),
		}},
	}
	if gpus > 0 {
		n.object.Status.Allocatable["nvidia.com/gpu"] = *resource.NewQuantity(gpus, resource.DecimalSI)
	}
	c.rec.NodeChanged(c.now, n.object)
	c.after(1200*time.Millisecond, func() {
		n.object.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		c.rec.NodeChanged(c.now, n.object)
		c.nodes = append(c.nodes, n)
		c.retry()
	})
}

// removeIdle removes nodes with a prefix that run nothing.
func (c *cluster) removeIdle(prefix string) {
	for _, n := range slices.Clone(c.nodes) {
		if n.running == 0 && strings.HasPrefix(n.object.Name, prefix) {
			n.gone = true
			c.nodes = slices.DeleteFunc(c.nodes, func(m *node) bool { return m == n })
			c.rec.NodeDeleted(c.now, n.object)
			c.rec.Decided(results.Decision{
				Time: c.now, Kind: results.Removed, Reason: "Empty", Nodes: []string{n.object.Name}, NodePool: strings.TrimSuffix(prefix, "-"),
				SavedPerHour: pricePerCore * spotShare * float64(n.cpu) / 1000,
			})
		}
	}
}

// create makes a pod that the scheduler sees a little later.
func (c *cluster) create(spec podSpec) *pod {
	c.names++
	p := &pod{spec: spec}
	controller := true
	p.object = &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "virtual-" + spec.namespace, Name: spec.name,
			UID:               types.UID(fmt.Sprintf("pod-%06d", c.names)),
			CreationTimestamp: metav1.NewTime(c.now),
			Annotations:       map[string]string{"static.simkube.io/original-namespace": spec.namespace},
			Labels:            map[string]string{},
		},
		Spec: corev1.PodSpec{PriorityClassName: spec.priority, Containers: []corev1.Container{{
			Name: "main",
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU:    *resource.NewMilliQuantity(spec.cpu, resource.DecimalSI),
				corev1.ResourceMemory: *resource.NewQuantity(spec.memory, resource.BinarySI),
			}},
		}}},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	if spec.gpus > 0 {
		p.object.Spec.Containers[0].Resources.Requests["nvidia.com/gpu"] = *resource.NewQuantity(spec.gpus, resource.DecimalSI)
	}
	ref := metav1.OwnerReference{APIVersion: "apps/v1", Kind: spec.kind, Name: spec.owner, Controller: &controller}
	switch spec.kind {
	case "Deployment":
		ref.Kind, ref.Name = "ReplicaSet", spec.owner+"-5d8f7c"
		p.object.Labels["pod-template-hash"] = "5d8f7c"
	case "CronJob":
		ref.APIVersion, ref.Kind = "batch/v1", "Job"
		ref.Name = fmt.Sprintf("%s-%08d", spec.owner, c.now.Unix()/60)
	case "Pod":
		ref = metav1.OwnerReference{APIVersion: "simkube.io/v1", Kind: "SimulationRoot", Name: "sk-day-metaroot"}
	}
	p.object.OwnerReferences = []metav1.OwnerReference{ref}
	c.rec.PodChanged(c.now, p.object)
	c.after(c.latency(3*time.Millisecond), func() { c.schedule(p) })
	return p
}

// latency returns a log-normal delay around a typical one.
func (c *cluster) latency(typical time.Duration) time.Duration {
	return time.Duration(float64(typical) * math.Exp(c.rand.NormFloat64()*0.6))
}
