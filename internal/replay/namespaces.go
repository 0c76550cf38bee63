package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"golang.org/x/sync/singleflight"

	simkubev1 "simkube.io/simkube/api/v1"
)

// errPassing is wrapped in errors about a state of the cluster that ends by itself.
var errPassing = errors.New("not yet")

// namespaces creates the simulation's namespaces that do not exist.
type namespaces struct {
	engine *Engine

	mu sync.Mutex
	// state is nil for a namespace of the simulation, and an error for one that belongs to others.
	state    map[string]error
	underway singleflight.Group
}

func newNamespaces(engine *Engine) *namespaces {
	return &namespaces{engine: engine, state: map[string]error{}}
}

func (n *namespaces) known(name string) (known bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	err, known = n.state[name]
	return known, err
}

// forget makes the next call look the namespace up again.
func (n *namespaces) forget(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.state, name)
}

// ensure creates a namespace of the simulation unless it exists. Concurrent calls share one
// request.
func (n *namespaces) ensure(ctx context.Context, name string) error {
	return n.settle(ctx, name, true)
}

// check is ensure without creating a namespace: for one that does not exist, apierrors.IsNotFound
// holds for the error.
func (n *namespaces) check(ctx context.Context, name string) error {
	return n.settle(ctx, name, false)
}

func (n *namespaces) settle(ctx context.Context, name string, create bool) error {
	if known, err := n.known(name); known {
		return err
	}
	_, err, _ := n.underway.Do(fmt.Sprint(create, name), func() (any, error) {
		err := n.look(ctx, name, create)
		if err == nil || errors.Is(err, errNotOurs) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.state[name] = err
		}
		return nil, err
	})
	if err != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	return nil
}

func (n *namespaces) look(ctx context.Context, name string, create bool) error {
	at := place{resource: namespaceResource(), name: name}
	_, err := n.engine.owned(ctx, at)
	if !create || !apierrors.IsNotFound(err) {
		return err
	}
	_, err = n.engine.target.create(ctx, at, n.engine.newNamespace(name))
	if apierrors.IsAlreadyExists(err) {
		_, err = n.engine.owned(ctx, at)
	}
	return err
}

func (e *Engine) newNamespace(name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion("v1")
	u.SetKind("Namespace")
	u.SetName(name)
	u.SetLabels(simkubev1.SimulatedLabels(e.opts.Simulation))
	if recorded, ok := e.opts.Namespaces.Shortened(name); ok && e.opts.Shared {
		u.SetAnnotations(map[string]string{simkubev1.AnnotationOriginalNamespace: recorded})
	}
	u.SetOwnerReferences([]metav1.OwnerReference{rootReference(e.root)})
	return u
}

// owned returns the UID of a cluster-scoped object that belongs to the simulation: one with an
// owner reference to the root, or any if the cluster is not shared. It returns an error for another
// object, and for one that is being deleted.
func (e *Engine) owned(ctx context.Context, at place) (types.UID, error) {
	object, err := e.target.get(ctx, at)
	if err != nil {
		return "", err
	}
	ours, former := !e.opts.Shared, false
	for _, ref := range object.OwnerReferences {
		ours = ours || ref.UID == e.root.UID
		former = former || isRoot(ref) && ref.Name == e.opts.RootName
	}
	switch {
	case !ours && !former:
		return "", &taskError{NotOurs, fmt.Errorf("%s %q %w", at.resource.Resource, at.name, errNotOurs)}
	case !ours || object.DeletionTimestamp != nil:
		return "", fmt.Errorf("%s %q %w", at.resource.Resource, at.name, errGoing)
	}
	return object.UID, nil
}

func isRoot(ref metav1.OwnerReference) bool {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	return err == nil && gv.Group == simkubev1.GroupName && ref.Kind == rootKind
}

func namespaceResource() schema.GroupVersionResource {
	return corev1.SchemeGroupVersion.WithResource("namespaces")
}
