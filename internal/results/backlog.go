package results

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"simkube.io/simkube/internal/words"
)

// Backlog is what controllers, the scheduler and kubelets have still to do for the pods of a
// simulation.
type Backlog struct {
	// Owners are the owners of the pods, in order.
	Owners []OwnerBacklog
	// Unplaced counts the pods for which the scheduler found no node. It may find one when something
	// else is done, such as a volume.
	Unplaced int
}

// OwnerBacklog is the backlog of one owner of pods.
type OwnerBacklog struct {
	Owner Owner
	// Unseen reports whether the controller has not handled the latest version of the owner.
	Unseen bool
	// Lacking counts the pods that the controller has not created or not replaced with new ones,
	// without those that it cannot create. Unscheduled counts those that the scheduler has not handled
	// yet, and Starting those that have a node and do not run yet.
	Lacking, Unscheduled, Starting int
}

// Size is a measure of the work: it falls with each step of a pod.
func (b *Backlog) Size() int {
	size := b.Unplaced
	for i := range b.Owners {
		o := &b.Owners[i]
		size += 3*o.Lacking + 2*o.Unscheduled + o.Starting
		if o.Unseen {
			size++
		}
	}
	return size
}

// CutShort returns a deviation for each owner of which something is still to be done. With unseen,
// it only returns those of owners that their controllers have not handled: the rest may wait for
// something that will not happen, as a StatefulSet does for its first pod.
func (b *Backlog) CutShort(unseen bool) []Deviation {
	var out []Deviation
	for i := range b.Owners {
		o := &b.Owners[i]
		if unseen && !o.Unseen {
			continue
		}
		lacking := o.Lacking
		if o.Unseen {
			lacking = max(lacking, 1)
		}
		var parts []string
		for _, part := range []struct {
			count int
			state string
		}{{lacking, "created"}, {o.Unscheduled, "handled by the scheduler"}, {o.Starting, "started"}} {
			if part.count > 0 {
				parts = append(parts, words.Count(part.count, "pod")+" not "+part.state)
			}
		}
		if len(parts) == 0 {
			continue
		}
		out = append(out, Deviation{
			Category: CutShort, Owner: &o.Owner, Count: lacking + o.Unscheduled + o.Starting,
			Reason: "the run ended before the control plane was done: " + strings.Join(parts, ", "),
			Action: "replay in virtual time, or more slowly (--speed)",
		})
	}
	return out
}

// Backlog returns what is still to be done. It lists all controllers of pods in the cluster.
func (o *Observer) Backlog(ctx context.Context) (*Backlog, error) {
	found := backlogs{observer: o, byOwner: map[Owner]*OwnerBacklog{}, cannot: o.rec.cannotCreate()}
	apps, all := o.client.AppsV1(), metav1.ListOptions{}
	deployments, err := apps.Deployments("").List(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("list Deployments: %w", err)
	}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		lacks := 0
		if !d.Spec.Paused {
			lacks = wanted(d.Spec.Replicas) - int(d.Status.UpdatedReplicas)
		}
		found.add("Deployment", &d.ObjectMeta, d.Status.ObservedGeneration < d.Generation, lacks)
	}
	sets, err := apps.ReplicaSets("").List(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("list ReplicaSets: %w", err)
	}
	for i := range sets.Items {
		s := &sets.Items[i]
		found.add("ReplicaSet", &s.ObjectMeta, s.Status.ObservedGeneration < s.Generation, replicaSetLacks(s))
	}
	stateful, err := apps.StatefulSets("").List(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("list StatefulSets: %w", err)
	}
	for i := range stateful.Items {
		s := &stateful.Items[i]
		found.add("StatefulSet", &s.ObjectMeta, s.Status.ObservedGeneration < s.Generation, max(statefulSetLacks(s), outdatedPods(s)))
	}
	daemons, err := apps.DaemonSets("").List(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("list DaemonSets: %w", err)
	}
	for i := range daemons.Items {
		d := &daemons.Items[i]
		lacks := daemonSetLacks(d)
		if d.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType {
			lacks = int(d.Status.DesiredNumberScheduled - d.Status.UpdatedNumberScheduled)
		}
		unseen := d.Status.ObservedGeneration < d.Generation
		if unseen {
			lacks = max(lacks, o.rec.Counts().Nodes)
		}
		found.add(kindDaemonSet, &d.ObjectMeta, unseen, lacks)
	}
	if err := found.addOthers(ctx); err != nil {
		return nil, err
	}
	return found.result(), nil
}

// backlogs collects the backlogs of owners.
type backlogs struct {
	observer *Observer
	byOwner  map[Owner]*OwnerBacklog
	// cannot is how many pods of each owner cannot be created.
	cannot map[Owner]int
}

// addOthers adds the controllers that are not of the group apps.
func (b *backlogs) addOthers(ctx context.Context) error {
	old, err := b.observer.client.CoreV1().ReplicationControllers("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list ReplicationControllers: %w", err)
	}
	for i := range old.Items {
		c := &old.Items[i]
		b.add("ReplicationController", &c.ObjectMeta, c.Status.ObservedGeneration < c.Generation, replicationControllerLacks(c))
	}
	jobs, err := b.observer.client.BatchV1().Jobs("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list Jobs: %w", err)
	}
	for i := range jobs.Items {
		j := &jobs.Items[i]
		if j.Spec.ManagedBy == nil || *j.Spec.ManagedBy == batchv1.JobControllerName {
			b.add(kindJob, &j.ObjectMeta, j.Status.StartTime == nil && jobLacks(j) > 0, jobLacks(j))
		}
	}
	return nil
}

// add adds a controller of pods, if it belongs to the simulation. An owner with several controllers
// lacks as many pods as the one that lacks most, as a Deployment lacks those of its ReplicaSets.
func (b *backlogs) add(kind string, meta *metav1.ObjectMeta, unseen bool, lacks int) {
	if _, ok := b.observer.recordedNamespace(meta.Namespace); !ok || meta.DeletionTimestamp != nil {
		return
	}
	of := corev1.ObjectReference{Kind: kind, Namespace: meta.Namespace, Name: meta.Name}
	owner := b.observer.controllerOwner(&of, meta)
	lacks -= b.cannot[owner]
	if !unseen && lacks <= 0 {
		return
	}
	known := b.of(owner)
	known.Unseen = known.Unseen || unseen
	known.Lacking = max(known.Lacking, lacks)
}

func (b *backlogs) of(owner Owner) *OwnerBacklog {
	known := b.byOwner[owner]
	if known == nil {
		known = &OwnerBacklog{Owner: owner}
		b.byOwner[owner] = known
	}
	return known
}

// result adds the pods that are not running.
func (b *backlogs) result() *Backlog {
	var all Backlog
	r := b.observer.rec
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pods {
		switch stage := p.stage(); {
		case stage == stageStarting:
			b.of(*p.owner).Starting++
		case stage == stagePending && p.waits == 0:
			b.of(*p.owner).Unscheduled++
		case stage == stagePending && !strings.HasPrefix(p.lastWait, gated):
			all.Unplaced++
		}
	}
	for _, owner := range slices.SortedFunc(maps.Keys(b.byOwner), Owner.Compare) {
		all.Owners = append(all.Owners, *b.byOwner[owner])
	}
	return &all
}

// cannotCreate returns how many pods of each owner could not be created.
func (r *Recorder) cannotCreate() map[Owner]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	missing := map[Owner]int{}
	for _, f := range r.failures {
		if !f.gone {
			missing[f.owner] += max(0, f.missing)
		}
	}
	return missing
}

func replicaSetLacks(s *appsv1.ReplicaSet) int {
	return wanted(s.Spec.Replicas) - int(s.Status.Replicas)
}

func statefulSetLacks(s *appsv1.StatefulSet) int {
	return wanted(s.Spec.Replicas) - int(s.Status.Replicas)
}

func daemonSetLacks(d *appsv1.DaemonSet) int {
	return int(d.Status.DesiredNumberScheduled - d.Status.CurrentNumberScheduled)
}

func replicationControllerLacks(c *corev1.ReplicationController) int {
	return wanted(c.Spec.Replicas) - int(c.Status.Replicas)
}

// outdatedPods returns how many pods a StatefulSet will replace, or 0 if it replaces only some.
func outdatedPods(s *appsv1.StatefulSet) int {
	update := &s.Spec.UpdateStrategy
	partial := update.RollingUpdate != nil && update.RollingUpdate.Partition != nil && *update.RollingUpdate.Partition > 0
	if update.Type == appsv1.OnDeleteStatefulSetStrategyType || partial || s.Status.UpdateRevision == s.Status.CurrentRevision {
		return 0
	}
	return wanted(s.Spec.Replicas) - int(s.Status.UpdatedReplicas)
}
