package results

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// messages of the scheduler, with their classes and the one that ruled out most nodes.
var messages = []struct {
	message string
	classes []string
	main    string
}{
	{"", nil, ""},
	{
		"0/5 nodes are available: 5 Insufficient cpu. preemption: 0/5 nodes are available: 5 No preemption victims found for incoming pod.",
		[]string{"Insufficient cpu"},
		"Insufficient cpu",
	},
	{
		"0/40 nodes are available: 1 Too many pods, 2 node(s) had untolerated taint(s), 37 Insufficient memory. no new claims to deallocate, preemption: 0/40 nodes are available: 40 Preemption is not helpful for scheduling.",
		[]string{"Insufficient memory", "Too many pods", "had untolerated taint(s)"},
		"Insufficient memory",
	},
	{
		"0/3 nodes are available: 3 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.",
		[]string{"had untolerated taint {node.kubernetes.io/unreachable: }"},
		"had untolerated taint {node.kubernetes.io/unreachable: }",
	},
	{
		`0/3 nodes are available: persistentvolumeclaim "data-db-0" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.`,
		[]string{`persistentvolumeclaim "…" not found`},
		`persistentvolumeclaim "…" not found`,
	},
	{"0/0 nodes are available: .", []string{"no nodes available"}, "no nodes available"},
	{"Scheduling is blocked due to non-empty scheduling gates", []string{"Scheduling is blocked due to non-empty scheduling gates"}, "Scheduling is blocked due to non-empty scheduling gates"},
	{`binding rejected: node "n-17" is gone after 30 seconds`, []string{`binding rejected: node "…" is gone after N seconds`}, `binding rejected: node "…" is gone after N seconds`},
}

func TestWaitClasses(t *testing.T) {
	for _, m := range messages {
		t.Run(m.message, func(t *testing.T) {
			if diff := cmp.Diff(m.classes, WaitClasses(m.message)); diff != "" {
				t.Errorf("classes (-want +got):\n%s", diff)
			}
			if got := mainClass(m.message); got != m.main {
				t.Errorf("main class: got %q, want %q", got, m.main)
			}
		})
	}
}

func TestClassTable(t *testing.T) {
	table := classTable{index: map[string]int{}}
	var all uint64
	for i := range 100 {
		all |= table.mask(fmt.Sprintf("reason %s", strings.Repeat("x", i)))
	}
	classes := table.classes(all)
	if len(classes) != maxClasses || !slices.Contains(classes, otherClass) {
		t.Errorf("got %d classes, want %d with %q among them", len(classes), maxClasses, otherClass)
	}
	if got := table.classes(table.mask("reason xx")); len(got) != 1 || got[0] != "reason xx" {
		t.Errorf("a class that was numbered early is now %q", got)
	}
}

func FuzzWaitClasses(f *testing.F) {
	for _, m := range messages {
		f.Add(m.message)
	}
	f.Fuzz(func(t *testing.T, message string) {
		classes := WaitClasses(message)
		if strings.TrimSpace(message) != "" && len(classes) == 0 {
			t.Errorf("no class for %q", message)
		}
		if !slices.IsSorted(classes) {
			t.Errorf("classes of %q are not sorted: %q", message, classes)
		}
		if main := mainClass(message); main != "" && !slices.Contains(classes, main) {
			t.Errorf("the main class %q of %q is none of %q", main, message, classes)
		}
	})
}
