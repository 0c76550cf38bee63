package replay

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// newKindWait is how long after its definition was applied a kind may be unknown.
const newKindWait = 10 * time.Second

// errNewKind is wrapped in the error for an unknown kind that may be served soon.
var errNewKind = errors.New("a new kind may not be served yet")

// kindWatch finds kinds in a cluster to which the trace itself may add some.
type kindWatch struct {
	mu sync.Mutex
	// defined is when the trace last defined a kind, looked when the kinds of the cluster were last
	// listed because one was missing.
	defined, looked time.Time
}

// applied must be called for every cluster-scoped object that was applied, which may define a kind.
func (k *kindWatch) applied(gvk schema.GroupVersionKind, now time.Time) {
	if gvk.GroupKind() == (schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.defined = now
	}
}

// find finds a kind. For an unknown kind, it lists the kinds of the cluster again if the trace has
// defined some since.
func (k *kindWatch) find(target target, now time.Time, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := target.mapping(gvk)
	if !meta.IsNoMatchError(err) {
		return mapping, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.defined.IsZero() || k.looked.Sub(k.defined) > newKindWait {
		return nil, err
	}
	k.looked = now
	target.refresh()
	if mapping, err = target.mapping(gvk); meta.IsNoMatchError(err) && now.Sub(k.defined) <= newKindWait {
		err = fmt.Errorf("%w (%w)", err, errNewKind)
	}
	return mapping, err
}
