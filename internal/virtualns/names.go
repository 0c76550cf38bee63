// Package virtualns maps the namespaces of a trace to those of a simulation in a shared cluster,
// and back.
package virtualns

import (
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// Names are the names of the namespaces of one simulation. They are safe for concurrent use.
type Names struct {
	prefix string

	mu sync.RWMutex
	// shortened are the recorded names of the namespaces whose simulated names are shortened.
	shortened map[string]string
}

// New returns Names with a prefix; empty means the default.
func New(prefix string) *Names {
	if prefix == "" {
		prefix = simkubev1.DefaultVirtualNsPrefix
	}
	return &Names{prefix: prefix, shortened: map[string]string{}}
}

// Prefix returns the prefix, without the hyphen after it.
func (n *Names) Prefix() string { return n.prefix }

// Simulated returns the name of a recorded namespace in the cluster.
func (n *Names) Simulated(recorded string) string {
	name := simkubev1.VirtualNamespace(n.prefix, recorded)
	if len(name) == len(n.prefix)+1+len(recorded) {
		return name
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shortened[name] = recorded
	return name
}

// Recorded returns the name of a namespace of the cluster in the recording, and whether it may
// belong to the simulation. The recorded name of a shortened one is known once Simulated or Add was
// called with it.
func (n *Names) Recorded(simulated string) (string, bool) {
	if recorded, ok := n.Shortened(simulated); ok {
		return recorded, true
	}
	return strings.CutPrefix(simulated, n.prefix+"-")
}

// Shortened returns the recorded name of a namespace whose name in the cluster is shortened.
func (n *Names) Shortened(simulated string) (recorded string, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	recorded, ok = n.shortened[simulated]
	return recorded, ok
}

// Add makes the recorded names of an event known.
func (n *Names) Add(event *trace.Event) {
	for _, objects := range [][]trace.Object{event.Applied, event.Deleted} {
		for i := range objects {
			object := &objects[i]
			if namespace := object.Namespace(); namespace != "" {
				n.Simulated(namespace)
			} else if object.GVK().GroupKind() == (schema.GroupKind{Kind: "Namespace"}) {
				n.Simulated(object.Name())
			}
		}
	}
}
