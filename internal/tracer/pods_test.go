package tracer

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// pod returns a pod that was created at the beginning of the tests; owner is the name of a
// Deployment that owns it, or empty. The status is YAML.
func pod(name, owner, node, status string) string {
	owners := ""
	if owner != "" {
		owners = fmt.Sprintf(", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: %s-rs, uid: uid-%s-rs, controller: true}]", owner, owner)
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: a, uid: uid-%s, creationTimestamp: %q%s}
spec: {nodeName: %q, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
status: {%s}`, name, name, stamp(0), owners, node, status)
}

// stamp returns a time in seconds since the beginning of the tests.
func stamp(seconds int) string {
	return begin.Add(time.Duration(seconds) * time.Second).UTC().Format(time.RFC3339)
}

func started(seconds int) string {
	return fmt.Sprintf("containerStatuses: [{name: c, state: {running: {startedAt: %q}}}], conditions: [{type: PodScheduled, status: 'True', lastTransitionTime: %q}]",
		stamp(seconds), stamp(0))
}

func terminated(from, to int) string {
	return fmt.Sprintf("containerStatuses: [{name: c, state: {terminated: {startedAt: %q, finishedAt: %q, exitCode: 0}}}]", stamp(from), stamp(to))
}

// lives returns the pods in the log: their name, their owners, and the lifecycle in seconds since
// the beginning.
func (b *bench) lives() []string {
	b.t.Helper()
	snapshot := b.snapshot()
	defer snapshot.Close()
	var lines []string
	for p, err := range snapshot.Pods(0, 1<<62) {
		b.check(err)
		line := p.Name
		for _, ancestor := range p.Ancestors {
			line += " < " + ancestor.GVK.Kind + " " + ancestor.Name
		}
		line += " " + p.Lifecycle.State.String()
		switch p.Lifecycle.State {
		case trace.Running:
			line += fmt.Sprintf(" %d", p.Lifecycle.Start-begin.Unix())
		case trace.Finished:
			line += fmt.Sprintf(" %d-%d", p.Lifecycle.Start-begin.Unix(), p.Lifecycle.End-begin.Unix())
		}
		if p.Deleted != 0 {
			line += fmt.Sprintf(" deleted %d", (p.Deleted-begin.UnixMilli())/1000)
		}
		lines = append(lines, line)
	}
	return lines
}

func lifecycles(kinds ...schema.GroupVersionKind) *trace.Config {
	config := configOf(map[schema.GroupVersionKind]trace.TrackedObject{})
	for _, gvk := range kinds {
		config.TrackedObjects[gvk] = trace.TrackedObject{TrackLifecycle: true}
	}
	return config
}

func TestPods_Lifecycles(t *testing.T) {
	b := newBench(t, lifecycles(deploymentKind))
	f := b.handler(podKind)
	b.owners.learn(head("a", "web-rs", ref(deploymentKind, "web")))
	b.owners.learn(head("a", "web"))
	b.owners.learn(head("a", "other-rs"))
	b.list(f, pod("waits", "web", "", ""), pod("deleted", "web", "n", started(-5)), pod("nobodys", "", "n", started(0)), pod("others", "other", "n", started(0)))
	b.clock.Step(10 * time.Second)
	b.apply(f, pod("waits", "web", "n", started(10)))
	b.apply(f, pod("waits", "web", "n", started(10)+", phase: Running")) // no relevant change
	b.clock.Step(10 * time.Second)
	b.remove(f, pod("deleted", "web", "n", started(-5)))
	b.apply(f, pod("waits", "web", "n", terminated(10, 19)))
	want := []string{
		"deleted < Deployment a/web Finished -5-20 deleted 20",
		"waits < Deployment a/web Finished 10-19",
	}
	if diff := cmp.Diff(want, b.lives()); diff != "" {
		t.Error(diff)
	}
}

// TestPods_Restarts checks that a pod whose container is restarted repeatedly keeps its first
// start.
func TestPods_Restarts(t *testing.T) {
	b := newBench(t, lifecycles(podKind))
	f := b.handler(podKind)
	b.list(f, pod("p", "", "n", started(1)))
	b.apply(f, pod("p", "", "n", started(30)))
	if diff := cmp.Diff([]string{"p Running 1"}, b.lives()); diff != "" {
		t.Error(diff)
	}
}

// TestPods_DeletedUnseen checks that a pod that was deleted unnoticed, or while the tracer was
// down, ends when that is detected.
func TestPods_DeletedUnseen(t *testing.T) {
	config := lifecycles(deploymentKind)
	b := newBench(t, config)
	b.owners.learn(head("a", "web-rs", ref(deploymentKind, "web")))
	b.owners.learn(head("a", "web"))
	f := b.handler(podKind)
	b.list(f, pod("one", "web", "n", started(0)), pod("two", "web", "n", started(0)), pod("three", "web", "n", started(0)))
	b.clock.Step(5 * time.Second)
	b.list(f, pod("two", "web", "n", started(0)), pod("three", "web", "n", started(0)))
	b.clock.Step(5 * time.Second)
	b.restart(config)
	f = b.handler(podKind)
	b.list(f, pod("three", "web", "n", started(0))) // its owners are no longer cached
	want := []string{
		"one < Deployment a/web Finished 0-5 deleted 5",
		"three < Deployment a/web Running 0",
		"two < Deployment a/web Finished 0-10 deleted 10",
	}
	if diff := cmp.Diff(want, b.lives()); diff != "" {
		t.Error(diff)
	}
}

// TestPods_Bare checks that a bare pod is recorded without its node, and that it is its own owner.
func TestPods_Bare(t *testing.T) {
	config := configOf(map[schema.GroupVersionKind]trace.TrackedObject{podKind: {TrackLifecycle: true, SkipOwned: true}})
	b := newBench(t, config)
	f := b.handler(podKind)
	b.owners.learn(head("a", "web-rs"))
	b.list(f, pod("bare", "", "n", started(0)), pod("owned", "web", "n", started(0)))
	if diff := cmp.Diff([]string{"bare Running 0"}, b.lives()); diff != "" {
		t.Error(diff)
	}
	b.wantHistory("0 + Pod a/bare")
	spec := b.last().Object["spec"].(map[string]any)
	if _, there := spec["nodeName"]; there {
		t.Error("the node is recorded")
	}
	want, err := trace.HashPodSpec(spec)
	b.check(err)
	snapshot := b.snapshot()
	defer snapshot.Close()
	for p, err := range snapshot.Pods(0, 1<<62) {
		b.check(err)
		if p.Hash != want || !p.Tracked {
			t.Errorf("got %+v, want hash %d, tracked", p, want)
		}
	}
}

// TestPods_Unwanted checks that pods whose lifecycles are no longer recorded are dropped.
func TestPods_Unwanted(t *testing.T) {
	b := newBench(t, lifecycles(deploymentKind))
	b.owners.learn(head("a", "web-rs", ref(deploymentKind, "web")))
	b.owners.learn(head("a", "web"))
	b.list(b.handler(podKind), pod("one", "web", "n", started(0)))
	b.clock.Step(5 * time.Second)
	b.restart(lifecycles(podKind))
	f := b.handler(podKind)
	b.list(f)
	if diff := cmp.Diff([]string{"one < Deployment a/web Running 0 deleted 5"}, b.lives()); diff != "" {
		t.Error(diff)
	}
}

func TestPods_Times(t *testing.T) {
	b := newBench(t, lifecycles(podKind))
	f := b.handler(podKind)
	b.list(f)
	b.clock.Step(300 * time.Millisecond)
	b.apply(f, pod("live", "", "", ""))
	b.clock.Step(9950 * time.Millisecond)
	b.apply(f, pod("live", "", "n", started(9)))
	snapshot := b.snapshot()
	defer snapshot.Close()
	for p, err := range snapshot.Pods(0, 1<<62) {
		b.check(err)
		got := []int64{p.Created, p.Scheduled, p.Started}
		for i := range got {
			got[i] -= begin.UnixMilli()
		}
		// The start was in second 9, and was received in second 10; of the scheduling only the second is
		// known.
		if diff := cmp.Diff([]int64{300, 0, 9999}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func node(name, uid, cpu, heartbeat string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Node, metadata: {name: %s, uid: %s, labels: {zone: z}}, spec: {taints: [{key: k, effect: NoSchedule}]},
  status: {capacity: {cpu: %q}, allocatable: {cpu: %q}, conditions: [{type: Ready, status: 'True', lastHeartbeatTime: %q}]}}`, name, uid, cpu, cpu, heartbeat)
}

func TestNodes(t *testing.T) {
	config := configOf(nil)
	b := newBench(t, config)
	f := b.handler(nodeKind)
	b.list(f, node("n1", "u1", "4", "x"), node("n2", "u2", "4", "x"), node("n3", "u3", "4", "x"))
	b.clock.Step(time.Second)
	b.apply(f, node("n1", "u1", "4", "y")) // a heartbeat
	b.apply(f, node("n2", "u2", "8", "y"))
	b.clock.Step(time.Second)
	b.remove(f, node("n1", "u1", "4", "y"))
	b.clock.Step(time.Second)
	b.restart(config)
	b.list(b.handler(nodeKind), node("n2", "u2", "8", "z"))
	snapshot := b.snapshot()
	defer snapshot.Close()
	got := map[string]bool{}
	for n, err := range snapshot.Nodes(0, 1<<62) {
		b.check(err)
		to := n.To
		if to != 0 {
			to = (to - begin.UnixMilli()) / 1000
		}
		got[fmt.Sprintf("%s %d-%d", n.Name, (n.From-begin.UnixMilli())/1000, to)] = true
	}
	want := map[string]bool{"n1 0-2": true, "n2 0-1": true, "n2 1-0": true, "n3 0-3": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPods_ClocksApart checks that nothing ends before it began, even if the API server's clock is
// ahead, or this one is set back.
func TestPods_ClocksApart(t *testing.T) {
	b := newBench(t, lifecycles(podKind))
	pods, nodes := b.handler(podKind), b.handler(nodeKind)
	b.clock.Step(10 * time.Second)
	b.list(nodes, node("n1", "u1", "4", "x"), node("n2", "u2", "4", "x"))
	b.clock.SetTime(begin.Add(5 * time.Second))
	b.remove(nodes, node("n2", "u2", "4", "x"))
	b.apply(nodes, node("n1", "u1", "8", "x"))
	b.clock.SetTime(begin.Add(-5 * time.Second))
	b.apply(pods, pod("p", "", "n", started(0)))
	b.remove(pods, pod("p", "", "n", started(0)))
	if diff := cmp.Diff([]string{"p Finished 0-0 deleted 0"}, b.lives()); diff != "" {
		t.Error(diff)
	}
	snapshot := b.snapshot()
	defer snapshot.Close()
	for p, err := range snapshot.Pods(0, 1<<62) {
		b.check(err)
		if p.Deleted < p.Created {
			t.Errorf("the pod was created at %d and deleted at %d", p.Created, p.Deleted)
		}
	}
	got := 0
	for n, err := range snapshot.Nodes(0, 1<<62) {
		b.check(err)
		got++
		if n.To != 0 && n.To < n.From {
			t.Errorf("node %s was there from %d to %d", n.Name, n.From, n.To)
		}
	}
	if got != 2 {
		t.Errorf("%d periods of nodes, want 2: one replaced another of no length", got)
	}
}
