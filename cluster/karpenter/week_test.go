package karpenter

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
		last = whatIsLeft()
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
	// What the control plane keeps for an hour, such as events, is not there after the first round in
	// the same amount.
	if rounds >= 20 && last.heap > 2*first.heap {
		t.Errorf("a heap of %d MiB after the first round, and of %d after the last", first.heap>>20, last.heap>>20)
	}
}

type usage struct {
	goroutines int
	heap       uint64 // bytes
}

func (l usage) String() string {
	return fmt.Sprintf("%d goroutines, a heap of %.1f MiB", l.goroutines, float64(l.heap)/(1<<20))
}

// whatIsLeft returns what the process has after a garbage collection.
func whatIsLeft() usage {
	runtime.GC()
	runtime.GC() // what finalizers have released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), m.HeapAlloc}
}
