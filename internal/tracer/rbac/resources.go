package rbac

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"simkube.io/simkube/trace"
)

// Resource is a resource in a rule: the plural name of a kind, and its group.
type Resource struct {
	Group, Name string
	// Guess is the kind that the name was guessed from; empty if the name is known.
	Guess string
}

// Guess returns the resource of a kind without a request to a cluster. It is correct for the kinds
// of Kubernetes itself, and a guess, with the field Guess set, for others.
func Guess(gvk schema.GroupVersionKind) Resource {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	r := Resource{Group: gvk.Group, Name: plural.Resource}
	if scheme.Scheme.Recognizes(gvk) {
		return r
	}
	r.Guess = trace.FormatGVK(gvk)
	// The guess of Kubernetes does not handle plurals such as "gateways".
	if name := strings.ToLower(gvk.Kind); len(name) > 1 && strings.HasSuffix(name, "y") && strings.ContainsRune("aeiou", rune(name[len(name)-2])) {
		r.Name = name + "s"
	}
	return r
}

// Discovery returns the resources of a cluster. It is implemented by client-go.
type Discovery interface {
	ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error)
}

// ErrNoKind is returned if a cluster does not have the kind, or the kind cannot be watched.
var ErrNoKind = errors.New("no such kind")

// Discover returns the resource of a kind in a cluster. The error wraps ErrNoKind if there is none.
func Discover(cluster Discovery, gvk schema.GroupVersionKind) (Resource, error) {
	list, err := cluster.ServerResourcesForGroupVersion(gvk.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return Resource{}, fmt.Errorf("%w in the cluster: %s", ErrNoKind, trace.FormatGVK(gvk))
	}
	if err != nil {
		return Resource{}, fmt.Errorf("get the resource of %s: %w", trace.FormatGVK(gvk), err)
	}
	for _, r := range list.APIResources {
		// A subresource may have the kind of another resource.
		if r.Kind != gvk.Kind || strings.Contains(r.Name, "/") {
			continue
		}
		if !slices.Contains(r.Verbs, "list") || !slices.Contains(r.Verbs, "watch") {
			return Resource{}, fmt.Errorf("%w that can be watched in the cluster: %s", ErrNoKind, trace.FormatGVK(gvk))
		}
		return Resource{Group: gvk.Group, Name: r.Name}, nil
	}
	return Resource{}, fmt.Errorf("%w in the cluster: %s", ErrNoKind, trace.FormatGVK(gvk))
}
