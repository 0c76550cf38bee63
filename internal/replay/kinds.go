package replay

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// newKindPatience is how long after a definition was applied its kind may be missing.
const newKindPatience = 10 * time.Second

// errNewKind marks an unknown kind that may be known soon.
var errNewKind = errors.New("a new kind may not be served yet")

// kindWatch looks kinds up in a cluster, in which the trace itself may define new ones.
type kindWatch struct {
	mu sync.Mutex
	// defined is when the trace last defined a kind, looked when the cluster was last asked for its kinds
	// because one was missing.
	defined, looked time.Time
}

// applied notes that a cluster-scoped object was applied, which may define a kind.
func (k *kindWatch) applied(gvk schema.GroupVersionKind, now time.Time) {
	if gvk.GroupKind() == (schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.defined = now
	}
}

// find looks a kind up. An unknown one has the cluster asked again if the trace defined kinds since.
func (k *kindWatch) find(target target, now time.Time, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := target.mapping(gvk)
	if !meta.IsNoMatchError(err) {
		return mapping, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.defined.IsZero() || k.looked.Sub(k.defined) > newKindPatience {
		return nil, err
	}
	k.looked = now
	target.refresh()
	if mapping, err = target.mapping(gvk); meta.IsNoMatchError(err) && now.Sub(k.defined) <= newKindPatience {
		err = fmt.Errorf("%w (%w)", err, errNewKind)
	}
	return mapping, err
}
