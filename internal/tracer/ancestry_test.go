package tracer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

const (
	web = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: a, uid: uid-web}, spec: {replicas: 1}}`
)

// asksOf makes a bench request owners from a cluster, which records the requests.
func (b *bench) asksOf(cluster *fakeCluster) *fakeCluster {
	b.owners.getter = cluster
	return cluster
}

// TestAncestors_FoundOutLater checks that what is recorded while an owner cannot be requested is
// corrected when it can, and that other pods of that owner do not inherit the missing ancestors.
func TestAncestors_FoundOutLater(t *testing.T) {
	config := lifecycles(podKind, deploymentKind)
	b := newBench(t, config)
	cluster := b.asksOf(&fakeCluster{})
	f := b.handler(podKind)
	b.owners.pause(replicaSetKind.GroupKind(), failedFor, errors.New("no leader"))
	b.list(f, pod("one", "web", "n", started(0)))
	b.wantHistory("0 + Pod a/one")
	b.clock.Step(failedFor)
	b.owners.learn(head("a", "web-rs", ref(deploymentKind, "web")))
	b.owners.learn(head("a", "web"))
	b.apply(f, pod("two", "web", "n", started(0)), pod("one", "web", "n", started(0)))
	b.apply(f, pod("two", "web", "n", started(0)), pod("one", "web", "n", started(0)))
	b.wantHistory("0 + Pod a/one", "30 + Pod a/two < Deployment a/web", "30 + Pod a/one < Deployment a/web")
	want := []string{"one < Deployment a/web Running 0", "two < Deployment a/web Running 0"}
	if diff := cmp.Diff(want, b.lives()); diff != "" {
		t.Error(diff)
	}
	if len(cluster.asked) > 0 {
		t.Errorf("asked for %v", cluster.asked)
	}
}

// TestAncestors_NewlyTracked checks that owners of recorded objects become ancestors when their
// kind is tracked, and that after a restart without such a change nothing is recorded again or
// requested.
func TestAncestors_NewlyTracked(t *testing.T) {
	before := lifecycles(podKind, replicaSetKind)
	b := newBench(t, before)
	learn := func() {
		b.asksOf(&fakeCluster{})
		b.list(b.handler(deploymentKind), web)
		b.list(b.handler(replicaSetKind), replicaSet("web-rs", "web"))
	}
	list := func() {
		t.Helper()
		b.list(b.handler(podKind), pod("one", "web", "n", started(0)))
		b.clock.Step(time.Second)
	}
	b.owners.learn(head("a", "web"))
	b.list(b.handler(replicaSetKind), replicaSet("web-rs", "web"))
	list()
	want := []string{"0 + ReplicaSet a/web-rs", "0 + Pod a/one < ReplicaSet a/web-rs"}
	b.wantHistory(want...)

	after := lifecycles(podKind, replicaSetKind, deploymentKind)
	b.restart(after)
	learn()
	list()
	want = append(want, "1 + Deployment a/web", "1 + ReplicaSet a/web-rs < Deployment a/web", "1 + Pod a/one < ReplicaSet a/web-rs < Deployment a/web")
	b.wantHistory(want...)
	lives := []string{"one < ReplicaSet a/web-rs < Deployment a/web Running 0"}
	if diff := cmp.Diff(lives, b.lives()); diff != "" {
		t.Error(diff)
	}

	b.restart(after)
	learn()
	list()
	b.wantHistory(want...)
	if asked := b.owners.getter.(*fakeCluster).asked; len(asked) > 0 {
		t.Errorf("asked for %v", asked)
	}
}

// TestAncestors_AfterRestart checks that owners that were listed, changed or not, are not
// requested, and neither are nodes that own pods.
func TestAncestors_AfterRestart(t *testing.T) {
	config := lifecycles(deploymentKind)
	b := newBench(t, config)
	b.list(b.handler(deploymentKind), web)
	b.restart(config)
	cluster := b.asksOf(&fakeCluster{})
	b.list(b.handler(deploymentKind), web)
	b.list(b.handler(replicaSetKind), replicaSet("web-rs", "web"))
	b.list(b.handler(nodeKind), node("n1", "uid-n1", "4", "x"))
	b.list(b.handler(podKind), pod("one", "web", "n", started(0)), `
apiVersion: v1
kind: Pod
metadata: {name: static, namespace: a, uid: uid-static, creationTimestamp: "2026-01-01T00:00:00Z",
  ownerReferences: [{apiVersion: v1, kind: Node, name: n1, uid: uid-n1, controller: true}]}
spec: {containers: [{name: c, image: i}]}`)
	if diff := cmp.Diff([]string{"one < Deployment a/web Running 0"}, b.lives()); diff != "" {
		t.Error(diff)
	}
	if len(cluster.asked) > 0 {
		t.Errorf("asked for %v", cluster.asked)
	}
}

// TestAncestors_Orphaned checks that an owner that lost its own owner is cached without it.
func TestAncestors_Orphaned(t *testing.T) {
	config := lifecycles(deploymentKind, replicaSetKind)
	b := newBench(t, config)
	b.asksOf(&fakeCluster{})
	b.list(b.handler(deploymentKind), web)
	sets := b.handler(replicaSetKind)
	b.list(sets, replicaSet("web-rs", "web"))
	b.apply(sets, replicaSet("web-rs", ""))
	b.list(b.handler(podKind), pod("one", "web", "n", started(0)))
	if diff := cmp.Diff([]string{"one < ReplicaSet a/web-rs Running 0"}, b.lives()); diff != "" {
		t.Error(diff)
	}
}

// TestObjects_SkipOwnedReplaced checks that an object without owners is recorded as deleted if
// another object, with an owner, has its name.
func TestObjects_SkipOwnedReplaced(t *testing.T) {
	b := newBench(t, configOf(map[schema.GroupVersionKind]trace.TrackedObject{replicaSetKind: {SkipOwned: true}}))
	f := b.handler(replicaSetKind)
	b.list(f, `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: x, namespace: a, uid: u1}}`)
	b.clock.Step(time.Second)
	b.list(f, replicaSet("x", "web"))
	b.wantHistory("0 + ReplicaSet a/x", "1 - ReplicaSet a/x")
}

// TestPods_OverBeforeDeleted checks that the lifecycle of a pod ends when its containers last
// ended, not when it was deleted, even if they had been restarted.
func TestPods_OverBeforeDeleted(t *testing.T) {
	b := newBench(t, lifecycles(podKind))
	f := b.handler(podKind)
	b.list(f, pod("seen", "", "n", started(1)), pod("unseen", "", "n", started(1)))
	b.clock.Step(20 * time.Second)
	b.apply(f, pod("unseen", "", "n", terminated(8, 12)))
	b.clock.Step(time.Hour)
	b.remove(f, pod("seen", "", "n", terminated(8, 12)))
	b.list(f)
	want := []string{"seen Finished 1-12 deleted 3620", "unseen Finished 1-12 deleted 3620"}
	if diff := cmp.Diff(want, b.lives()); diff != "" {
		t.Error(diff)
	}
}

// TestFollower_AwaitsOwners checks that objects listed at the start wait for the kinds of their
// owners, so that these are not requested one by one.
func TestFollower_AwaitsOwners(t *testing.T) {
	b := newBench(t, lifecycles(podKind, deploymentKind))
	b.add([]*follower{b.handler(deploymentKind), b.handler(podKind)})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for gvk, waits := range map[schema.GroupVersionKind]bool{podKind: true, replicaSetKind: true, deploymentKind: false, configMapKind: false} {
		if err := b.awaitOwners(ended, gvk); (err != nil) != waits {
			t.Errorf("%s: got %v, want it to wait: %t", gvk.Kind, err, waits)
		}
	}
}

// TestPlan_Pods checks that pods are processed again if and only if the kinds that may own them
// change.
func TestPlan_Pods(t *testing.T) {
	config := func(kinds ...schema.GroupVersionKind) *trace.Config {
		c := lifecycles()
		for _, gvk := range kinds {
			c.TrackedObjects[gvk] = trace.TrackedObject{}
		}
		return c
	}
	pods := plan(config(podKind), true)[podKind]
	if !pods.equal(plan(config(podKind), true)[podKind]) {
		t.Error("they are looked at again although nothing changed")
	}
	if pods.equal(plan(config(podKind, deploymentKind), true)[podKind]) {
		t.Error("they are not looked at again although another kind may own them")
	}
}
