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

// Resource is what permissions name: the plural of a kind, in its group.
type Resource struct {
	Group, Name string
	// Guess is the kind that the name was guessed from. Empty: the name is known.
	Guess string
}

// Guess returns the resource of a kind without asking a cluster: the right one for the kinds of Kubernetes itself, and a
// guess for others, which says so.
func Guess(gvk schema.GroupVersionKind) Resource {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	r := Resource{Group: gvk.Group, Name: plural.Resource}
	if scheme.Scheme.Recognizes(gvk) {
		return r
	}
	r.Guess = trace.FormatGVK(gvk)
	// "gateway" has "gateways", which Kubernetes' own guess does not know.
	if name := strings.ToLower(gvk.Kind); len(name) > 1 && strings.HasSuffix(name, "y") && strings.ContainsRune("aeiou", rune(name[len(name)-2])) {
		r.Name = name + "s"
	}
	return r
}

// Discovery asks a cluster for its resources. client-go's is one.
type Discovery interface {
	ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error)
}

// ErrNoKind is returned when a cluster has no such kind, or none that could be watched.
var ErrNoKind = errors.New("no such kind")

// Discover returns the resource of a kind in a cluster. The error wraps ErrNoKind if there is none.
func Discover(cluster Discovery, gvk schema.GroupVersionKind) (Resource, error) {
	list, err := cluster.ServerResourcesForGroupVersion(gvk.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return Resource{}, fmt.Errorf("%w in the cluster: %s", ErrNoKind, trace.FormatGVK(gvk))
	}
	if err != nil {
		return Resource{}, fmt.Errorf("ask the cluster for the resource of %s: %w", trace.FormatGVK(gvk), err)
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
