package results

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	// Trying is how many of those may get a node soon: the scheduler failed to place them and tries
	// again, or they were created within newFor, and what they need may only now be created.
	Trying int
}

// newFor is how long a pod without a node counts as tried.
const newFor = 2 * time.Second

// OwnerBacklog is the backlog of one owner of pods.
type OwnerBacklog struct {
	Owner Owner
	// Unseen reports whether the controller has not handled the latest version of the owner.
	Unseen bool
	// Lacking counts the pods that the controller has not created or not replaced with new ones,
	// without those that it cannot create. Unscheduled counts those that the scheduler has not handled
	// yet, and Starting those that have a node and do not run yet.
	Lacking, Unscheduled, Starting int
	// Pause is how long the controller waits, by its specification, after a pod is ready and before it
	// creates or replaces the next one.
	Pause time.Duration
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

// Pause returns the longest time for which nothing may happen although the controllers work.
func (b *Backlog) Pause() time.Duration {
	var longest time.Duration
	for i := range b.Owners {
		if o := &b.Owners[i]; o.Lacking > 0 {
			longest = max(longest, o.Pause)
		}
	}
	return longest
}

// CutShort returns a deviation for each owner of which something is still to be done. The reason
// begins with what has ended. With unseen, it only returns those of owners that their controllers
// have not handled: the rest may wait for something that will not happen, as a StatefulSet does for
// its first pod.
func (b *Backlog) CutShort(ended string, unseen bool) []Deviation {
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
			Reason: ended + " before the control plane was done: " + strings.Join(parts, ", "),
			Action: "replay in virtual time, or more slowly (--speed)",
		})
	}
	return out
}

// Scope is what a backlog is of: the zero value are all pods of a simulation and their controllers.
type Scope struct {
	// Namespace is a namespace of the cluster; empty means all.
	Namespace string
	// Owner, if it has a name, is the only owner of pods. Its namespace is that of the recording.
	Owner Owner
}

// lists reports whether controllers of a kind are to be listed: they may be the owner, or have it
// as their own controller.
func (s *Scope) lists(kind string) bool {
	switch s.Owner.Kind {
	case "", kind:
		return true
	case kindDeployment:
		return kind == kindReplicaSet
	case kindCronJob:
		return kind == kindJob
	}
	return false
}

// Backlog returns what is still to be done. It lists the controllers in the scope.
func (o *Observer) Backlog(ctx context.Context, scope Scope) (*Backlog, error) {
	b := backlogs{
		observer: o, scope: scope, byOwner: map[Owner]*OwnerBacklog{}, has: map[Owner]int{}, cannot: o.rec.cannotCreate(), pauses: map[Owner]int32{},
	}
	for _, list := range []struct {
		kind string
		add  func(context.Context) error
	}{
		{kindDeployment, b.addDeployments},
		{kindReplicaSet, b.addReplicaSets},
		{kindStatefulSet, b.addStatefulSets},
		{kindDaemonSet, b.addDaemonSets},
		{kindReplicationController, b.addReplicationControllers},
		{kindJob, b.addJobs},
	} {
		if !scope.lists(list.kind) {
			continue
		}
		if err := list.add(ctx); err != nil {
			return nil, fmt.Errorf("list %ss: %w", list.kind, err)
		}
	}
	return b.result(), nil
}

// backlogs collects the backlogs of owners.
type backlogs struct {
	observer *Observer
	scope    Scope
	byOwner  map[Owner]*OwnerBacklog
	// has is how many pods each owner has at least. The watch of pods may be behind.
	has map[Owner]int
	// cannot is how many pods of each owner cannot be created.
	cannot map[Owner]int
	// pauses are those of the owners that have one, in seconds.
	pauses map[Owner]int32
}

func (b *backlogs) addDeployments(ctx context.Context) error {
	all, err := b.observer.client.AppsV1().Deployments(b.scope.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range all.Items {
		d := &all.Items[i]
		lacks := 0
		if !d.Spec.Paused {
			lacks = wanted(d.Spec.Replicas) - int(d.Status.UpdatedReplicas)
		}
		b.pause(kindDeployment, &d.ObjectMeta, d.Spec.MinReadySeconds)
		b.add(kindDeployment, &d.ObjectMeta, d.Status.ObservedGeneration < d.Generation, lacks, d.Status.Replicas)
	}
	return nil
}

func (b *backlogs) addReplicaSets(ctx context.Context) error {
	all, err := b.observer.client.AppsV1().ReplicaSets(b.scope.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range all.Items {
		s := &all.Items[i]
		b.add(kindReplicaSet, &s.ObjectMeta, s.Status.ObservedGeneration < s.Generation, replicaSetLacks(s), s.Status.Replicas)
	}
	return nil
}

func (b *backlogs) addStatefulSets(ctx context.Context) error {
	all, err := b.observer.client.AppsV1().StatefulSets(b.scope.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range all.Items {
		s := &all.Items[i]
		b.pause(kindStatefulSet, &s.ObjectMeta, s.Spec.MinReadySeconds)
		b.add(kindStatefulSet, &s.ObjectMeta, s.Status.ObservedGeneration < s.Generation,
			max(statefulSetLacks(s), outdatedPods(s)), s.Status.Replicas)
	}
	return nil
}

func (b *backlogs) addDaemonSets(ctx context.Context) error {
	all, err := b.observer.client.AppsV1().DaemonSets(b.scope.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range all.Items {
		d := &all.Items[i]
		lacks := daemonSetLacks(d)
		if d.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType {
			lacks = int(d.Status.DesiredNumberScheduled - d.Status.UpdatedNumberScheduled)
		}
		unseen := d.Status.ObservedGeneration < d.Generation
		if unseen {
			lacks = max(lacks, b.observer.rec.Counts().Nodes)
		}
		b.pause(kindDaemonSet, &d.ObjectMeta, d.Spec.MinReadySeconds)
		b.add(kindDaemonSet, &d.ObjectMeta, unseen, lacks, d.Status.CurrentNumberScheduled)
	}
	return nil
}

func (b *backlogs) addReplicationControllers(ctx context.Context) error {
	all, err := b.observer.client.CoreV1().ReplicationControllers(b.scope.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range all.Items {
		c := &all.Items[i]
		b.add(kindReplicationController, &c.ObjectMeta, c.Status.ObservedGeneration < c.Generation,
			replicationControllerLacks(c), c.Status.Replicas)
	}
	return nil
}

func (b *backlogs) addJobs(ctx context.Context) error {
	all, err := b.observer.client.BatchV1().Jobs(b.scope.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range all.Items {
		j := &all.Items[i]
		if j.Spec.ManagedBy == nil || *j.Spec.ManagedBy == batchv1.JobControllerName {
			b.add(kindJob, &j.ObjectMeta, j.Status.StartTime == nil && jobLacks(j) > 0, jobLacks(j), j.Status.Active)
		}
	}
	return nil
}

// add adds a controller of pods, if it belongs to the simulation and the scope. An owner with
// several controllers lacks as many pods as the one that lacks most, as a Deployment lacks those of
// its ReplicaSets. A controller has some pods, says its status.
func (b *backlogs) add(kind string, meta *metav1.ObjectMeta, unseen bool, lacks int, has int32) {
	if _, ok := b.observer.recordedNamespace(meta.Namespace); !ok || meta.DeletionTimestamp != nil {
		return
	}
	of := corev1.ObjectReference{Kind: kind, Namespace: meta.Namespace, Name: meta.Name}
	owner := b.observer.controllerOwner(&of, meta)
	if !b.scope.includes(owner) {
		return
	}
	b.has[owner] = max(b.has[owner], int(has))
	lacks -= b.cannot[owner]
	if !unseen && lacks <= 0 {
		return
	}
	known := b.of(owner)
	known.Unseen = known.Unseen || unseen
	known.Lacking = max(known.Lacking, lacks)
}

// pause notes how long pods of a controller have to be ready before it goes on.
func (b *backlogs) pause(kind string, meta *metav1.ObjectMeta, seconds int32) {
	if seconds > 0 {
		b.pauses[b.observer.controllerOwner(&corev1.ObjectReference{Kind: kind, Namespace: meta.Namespace, Name: meta.Name}, meta)] = seconds
	}
}

// includes reports whether an owner whose namespace is in the scope is.
func (s *Scope) includes(owner Owner) bool { return s.Owner.Name == "" || owner == s.Owner }

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
	r, now := b.observer.rec, b.observer.opts.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pods {
		stage := p.stage()
		if stage == stageNone || !b.scope.holds(p) {
			continue
		}
		b.has[*p.owner]--
		switch {
		case stage == stageStarting:
			b.of(*p.owner).Starting++
		case stage == stagePending && p.waits == 0:
			b.of(*p.owner).Unscheduled++
		case stage == stagePending && !strings.HasPrefix(p.lastWait, gated):
			all.Unplaced++
			if p.retried || now.Sub(p.created.time()) < newFor {
				all.Trying++
			}
		}
	}
	for owner, unknown := range b.has {
		if unknown > 0 {
			b.of(owner).Unscheduled += unknown
		}
	}
	for _, owner := range slices.SortedFunc(maps.Keys(b.byOwner), Owner.Compare) {
		known := b.byOwner[owner]
		known.Pause = time.Duration(b.pauses[owner]) * time.Second
		all.Owners = append(all.Owners, *known)
	}
	return &all
}

// holds reports whether a pod is in the scope.
func (s *Scope) holds(p *podRecord) bool {
	return (s.Namespace == "" || p.namespace == s.Namespace) && s.includes(*p.owner)
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
