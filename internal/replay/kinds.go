package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
)

const (
	// newKindWait is how long after a definition was applied the API server may not know a kind.
	newKindWait = 10 * time.Second
	// servingTime is how long a task waits at least until the kinds of a definition are served. The
	// API server serves them one after another, and a trace may define hundreds at once.
	servingTime = time.Minute
	// discoveryPause is the minimum time between two discoveries of the kinds of the cluster, and
	// discoveryShare how many times longer it is than a discovery takes: with hundreds of kinds, that
	// would otherwise keep the API server from serving new ones.
	discoveryPause = 40 * time.Millisecond
	discoveryShare = 10
)

// errNewKind is wrapped in the error for an unknown kind that may be served soon.
var errNewKind = errors.New("a new kind may not be served yet")

// kindWatch finds kinds in a cluster to which the trace itself may add some.
type kindWatch struct {
	mu sync.Mutex
	// awaited are the kinds of definitions that were applied and are not served yet.
	awaited map[objectKey][]schema.GroupVersionKind
	// defined is when the trace last defined a kind, looked when the kinds of the cluster were last
	// discovered because one was missing.
	defined, looked time.Time
	// pause is the time until they are discovered again.
	pause time.Duration
}

// define notes a definition that was applied.
func (k *kindWatch) define(key objectKey, body []byte, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.awaited == nil {
		k.awaited = map[objectKey][]schema.GroupVersionKind{}
	}
	k.defined = now
	k.awaited[key] = definedKinds(body)
}

// forget ends the wait for the kinds of a definition.
func (k *kindWatch) forget(key objectKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.awaited, key)
}

// definedKinds returns the kinds that a definition has the API server serve.
func definedKinds(body []byte) []schema.GroupVersionKind {
	var definition struct {
		Spec struct {
			Group    string `json:"group"`
			Names    struct{ Kind string }
			Versions []struct {
				Name   string `json:"name"`
				Served bool   `json:"served"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(body, &definition); err != nil {
		return nil // the API server accepted it, so this does not happen
	}
	var kinds []schema.GroupVersionKind
	for _, version := range definition.Spec.Versions {
		if version.Served {
			kinds = append(kinds, schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind})
		}
	}
	return kinds
}

// awaitServed returns an error until the kinds of a definition are served.
func (k *kindWatch) awaitServed(target target, clk clock.PassiveClock, key objectKey) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, gvk := range k.awaited[key] {
		_, err := target.mapping(gvk)
		if meta.IsNoMatchError(err) && k.discover(target, clk.Now()) {
			_, err = k.discovered(target, clk, gvk)
		}
		if meta.IsNoMatchError(err) {
			return fmt.Errorf("the kind is not served: %w (%w)", err, errNewKind)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find finds a kind. For an unknown kind, it discovers the kinds of the cluster again if the trace
// has defined some since.
func (k *kindWatch) find(target target, clk clock.PassiveClock, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := target.mapping(gvk)
	if !meta.IsNoMatchError(err) {
		return mapping, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	awaited := k.awaits(gvk)
	if (awaited || !k.looked.After(k.defined)) && k.discover(target, clk.Now()) {
		mapping, err = k.discovered(target, clk, gvk)
	}
	if meta.IsNoMatchError(err) && awaited {
		err = fmt.Errorf("%w (%w)", err, errNewKind)
	}
	return mapping, err
}

// stale returns an error for a kind that was found and is not served: that is passing if the trace
// has defined kinds lately.
func (k *kindWatch) stale(target target, now time.Time, err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !apierrors.IsNotFound(err) || k.defined.IsZero() || now.Sub(k.defined) > newKindWait {
		return err
	}
	k.discover(target, now)
	return fmt.Errorf("%w (%w)", err, errNewKind)
}

// otherScope returns an error for a kind that has another scope than in the trace: that is passing
// if the trace has defined kinds lately, since a definition may have been created again.
func (k *kindWatch) otherScope(target target, now time.Time, err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.defined.IsZero() || now.Sub(k.defined) > newKindWait {
		return &taskError{Malformed, err}
	}
	k.discover(target, now)
	return fmt.Errorf("%w (%w)", err, errPassing)
}

// awaits reports whether a definition of a kind was applied that is not served yet. The caller
// holds the lock.
func (k *kindWatch) awaits(gvk schema.GroupVersionKind) bool {
	for _, kinds := range k.awaited {
		for _, awaited := range kinds {
			if awaited == gvk {
				return true
			}
		}
	}
	return false
}

// discover discovers the kinds of the cluster, unless the trace has defined none or that was done a
// moment ago. The caller holds the lock.
func (k *kindWatch) discover(target target, now time.Time) bool {
	if k.defined.IsZero() || !k.looked.IsZero() && now.Sub(k.looked) < max(discoveryPause, k.pause) {
		return false
	}
	k.looked = now
	target.refresh()
	return true
}

// discovered finds a kind after discover, and measures how long the discovery takes. The caller
// holds the lock.
func (k *kindWatch) discovered(target target, clk clock.PassiveClock, gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	began := clk.Now()
	mapping, err := target.mapping(gvk)
	k.pause = discoveryShare * clk.Since(began)
	return mapping, err
}
