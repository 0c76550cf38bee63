package karpenter

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

// nodesVariable is how many nodes TestWeek makes and removes within seven days of virtual time.
const nodesVariable = "SIMKUBE_KARPENTER_NODES"

var claimResource = schema.GroupVersionResource{Group: "karpenter.sh", Version: "v1", Resource: "nodeclaims"}

const (
	week = 7 * 24 * time.Hour
	// together is how many nodes exist at once.
	together = 20
	// fewNodes are made without the variable, with shortPause between two rounds.
	fewNodes   = 3 * together
	shortPause = 10 * time.Minute
)

// Nodes that were made and removed leave nothing behind: after each round there are as many
// goroutines as after the first, and the heap does not grow. It runs alone, since it is not
// parallel.
func TestWeek(t *testing.T) {
	if !virtualtime.Enabled {
		t.Skip("takes hours on the wall clock")
	}
	rounds, pause := fewNodes/together, shortPause
	if value := os.Getenv(nodesVariable); value != "" {
		nodes, err := strconv.Atoi(value)
		if err != nil || nodes < 3*together {
			t.Fatalf("invalid %s %q: must be a number, at least %d", nodesVariable, value, 3*together)
		}
		rounds = nodes / together
		pause = week / time.Duration(rounds)
	}
	const id = "week"
	createPool(t, id, id, map[string]string{
		"policy": "WhenEmpty", "consolidateAfter": "30s", "requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [amd-2]}]`,
	})
	// Each pod needs a node of its own.
	createDeployment(t, id, id, "1500m", nil)
	scale(t, id, 0)
	var first, last usage
	for round := range rounds {
		scale(t, id, together)
		awaitRunning(t, id, together)
		if got := len(nodesOf(t, id)); got != together {
			t.Fatalf("round %d: %d nodes, want %d", round, got, together)
		}
		scale(t, id, 0)
		eventually(t, "no nodes", func(context.Context) (bool, error) { return len(nodesOf(t, id)) == 0, nil })
		// Claims go after their nodes.
		eventually(t, "no claims", func(ctx context.Context) (bool, error) {
			claims, err := objects.Resource(claimResource).List(ctx, metav1.ListOptions{})
			return err == nil && len(claims.Items) == 0, err
		})
		time.Sleep(pause)
		last = whatIsLeft(t)
		if round == 0 {
			first = last
		}
		if round == 0 || (round+1)%max(1, rounds/10) == 0 {
			t.Logf("after %d nodes: %s", (round+1)*together, last)
		}
	}
	if last.goroutines > first.goroutines+together/2 {
		t.Errorf("%d goroutines after the first round, %d after the last", first.goroutines, last.goroutines)
	}
	if held := heldOf(handover.provider, id); len(held) > 0 {
		t.Errorf("the provider still has %q", held)
	}
	// The deployment's pods and nodes are gone, and events, which are kept for an hour, are not
	// counted.
	if last.objects != first.objects {
		t.Errorf("%d objects after the first round, %d after the last", first.objects, last.objects)
	}
	// What the control plane keeps for an hour, such as events, is not there after the first round in
	// the same amount.
	if rounds >= 20 && last.heap > 2*first.heap {
		t.Errorf("a heap of %d MiB after the first round, and of %d after the last", first.heap>>20, last.heap>>20)
	}
}

// Claims that get no instance leave nothing behind either.
func TestForget_NoCapacity(t *testing.T) {
	t.Parallel()
	const id = "forget"
	createPool(t, id, id, map[string]string{
		"class": "no-zone-a", "requirements": `[{key: node.kubernetes.io/instance-type, operator: In, values: [short-3]}]`,
	})
	createPods(t, id, 0, pod{1, "1", func(p *corev1.Pod) { p.Spec.NodeSelector[corev1.LabelTopologyZone] = "zone-a" }})
	eventually(t, "a type that is avoided", func(context.Context) (bool, error) {
		p := handover.provider
		p.mu.Lock()
		defer p.mu.Unlock()
		_, avoided := p.avoided.until[offerKey{"short-3", "zone-a", v1.CapacityTypeOnDemand}]
		return avoided, nil
	})
	eventually(t, "no claims", func(ctx context.Context) (bool, error) {
		claims, err := objects.Resource(claimResource).List(ctx, metav1.ListOptions{LabelSelector: v1.NodePoolLabelKey + "=" + id})
		return err == nil && len(claims.Items) == 0, err
	})
	if held := heldOf(handover.provider, id); len(held) > 0 {
		t.Errorf("the provider still has %q", held)
	}
}

// heldOf returns what a provider remembers about the claims of a pool.
func heldOf(p *provider, pool string) []string {
	var held []string
	hold := func(where string, names iter.Seq[string]) {
		for name := range names {
			if strings.HasPrefix(name, pool+"-") {
				held = append(held, where+" "+name)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.instances {
		hold("the instance", slices.Values([]string{i.claim.Name}))
	}
	hold("the expected claim", maps.Keys(p.expected))
	d := p.decisions
	d.mu.Lock()
	defer d.mu.Unlock()
	hold("the removal of", maps.Keys(d.removing))
	hold("the plan for", maps.Keys(d.planned))
	for name := range d.said {
		if node, ok := strings.CutPrefix(name, "node/"); ok {
			hold("the message about", slices.Values([]string{node}))
		}
	}
	return held
}

type usage struct {
	goroutines int
	heap       uint64 // bytes
	// objects are those in the API server without events, which are kept for an hour.
	objects, events int
}

func (l usage) String() string {
	return fmt.Sprintf("%d goroutines, a heap of %.1f MiB, %d objects and %d events", l.goroutines, float64(l.heap)/(1<<20), l.objects, l.events)
}

// whatIsLeft returns what the process has after a garbage collection, and the control plane.
func whatIsLeft(t *testing.T) usage {
	t.Helper()
	stored, events := stored(t)
	runtime.GC()
	runtime.GC() // what finalizers have released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), m.HeapAlloc, stored, events}
}

// stored returns how many objects the control plane has, and how many events.
func stored(t *testing.T) (others, events int) {
	t.Helper()
	lists, err := kube.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists) {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list.APIResources {
			resource := version.WithResource(list.APIResources[i].Name)
			found, err := objects.Resource(resource).List(t.Context(), metav1.ListOptions{})
			switch {
			case err != nil:
				t.Fatal(err)
			case resource.Resource != "events":
				others += len(found.Items)
			case resource.Group == "":
				events = len(found.Items)
			}
		}
	}
	return others, events
}
