package mutate

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// TestNumbers_roundTrip checks that a Mutator with the numbers of another one continues counting
// from them.
func TestNumbers_roundTrip(t *testing.T) {
	pods := func() []*corev1.Pod {
		widget := newPod("", ref("example.com/v1", "Widget", "widget"))
		other := newPod("", ref("example.com/v1", "Widget", "widget"))
		other.Spec.Hostname = "b"
		return []*corev1.Pod{
			newPod("cron-1-x", ref("batch/v1", "Job", "cron-1")),
			newPod("one", toRoot), widget, other,
		}
	}
	first := newMutator(t, simulated(), nil)
	for range 2 {
		for _, pod := range pods() {
			mutated(t, first, pod)
		}
	}
	mutated(t, first, newPod("cron-1-y", ref("batch/v1", "Job", "cron-1")))
	numbers := first.Numbers()
	if got := numbers["batch/v1.CronJob ns/cron 0"]; got != 3 || len(numbers) != 4 || numbers["v1.Pod ns/one 0"] != 2 {
		t.Errorf("Numbers() = %v, want 4 of which the CronJob has had 3 pods and the bare pod 2", numbers)
	}

	second := newMutator(t, simulated(), func(c *Config) { c.Numbers = numbers })
	if diff := cmp.Diff(numbers, second.Numbers()); diff != "" {
		t.Errorf("numbers before the first pod (-want +got):\n%s", diff)
	}
	for i, pod := range pods() {
		want := []string{"3", "2", "2", "2"}[i]
		if got := mutated(t, second, pod).Annotations[simkubev1.AnnotationPodSequenceNumber]; got != want {
			t.Errorf("pod %d has number %s, want %s", i, got, want)
		}
	}
	if got := first.Numbers()["batch/v1.CronJob ns/cron 0"]; got != 3 {
		t.Errorf("the first Mutator counts what the second does: %d", got)
	}
}

func TestNumberKey(t *testing.T) {
	for name, key := range map[string]numberKey{
		"core":           {trace.PodOwner{GVK: podKind, Name: "ns/p"}, 0},
		"cluster-scoped": {trace.PodOwner{GVK: schema.GroupVersionKind{Group: "example.com", Version: "v1beta1", Kind: "Widget"}, Name: "w"}, 1<<64 - 1},
		"odd name":       {trace.PodOwner{GVK: podKind, Name: "ns/a name with 3 spaces"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseNumberKey(key.String())
			if err != nil || got != key {
				t.Errorf("parseNumberKey(%q) = %v, %v; want %v", key, got, err, key)
			}
		})
	}
}

func TestNew_unreadableNumbers(t *testing.T) {
	for key, c := range map[string]struct {
		number int
		want   string
	}{
		"":                                 {1, "must be a kind"},
		"v1.Pod ns/p":                      {1, "must be a kind"},
		"v1.Pod  0":                        {1, "must be a kind"},
		"Pod ns/p 0":                       {1, `kind "Pod"`},
		"v1.Pod ns/p -1":                   {1, "hash"},
		"v1.Pod ns/p 99999999999999999999": {1, "hash"},
		"v1.Pod ns/p 0":                    {-1, "-1 is negative"},
	} {
		t.Run(key, func(t *testing.T) {
			cfg := Config{Simulation: "sim", Root: Root{UID: rootUID}, Owners: simulated(), Numbers: map[string]int{key: c.number, "v1.Pod ns/fine 0": 3}}
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New() = %v, want it to say %q", err, c.want)
			}
		})
	}
}

// TestNumbers_concurrent checks that Numbers may be called at any time, and includes every pod that
// was mutated before.
func TestNumbers_concurrent(t *testing.T) {
	const mutating, asking, pods = 4, 4, 400
	m := newMutator(t, simulated(), nil)
	total := func() (sum int) {
		for _, number := range m.Numbers() {
			sum += number
		}
		return sum
	}
	var begun, ended atomic.Int64
	var group sync.WaitGroup
	for worker := range mutating {
		group.Go(func() {
			for i := range pods {
				begun.Add(1)
				if _, err := m.Mutate(t.Context(), newPod(fmt.Sprint("p-", worker, "-", i%100), toRoot)); err != nil {
					t.Error(err)
				}
				ended.Add(1)
			}
		})
	}
	for range asking {
		group.Go(func() {
			for ended.Load() < mutating*pods {
				least := ended.Load()
				got := int64(total())
				if most := begun.Load(); got < least || got > most {
					t.Errorf("numbers sum up to %d, want %d to %d", got, least, most)
				}
			}
		})
	}
	group.Wait()
	if got := total(); got != mutating*pods {
		t.Errorf("numbers sum up to %d for %d pods", got, mutating*pods)
	}
}
