package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Listing is everything in a cluster: the content of each object by its kind, namespace and name.
type Listing map[string]string

// ignored are kinds that change by themselves.
var ignored = []string{"Event", "Lease"}

// ListSettled returns the listing once it has not changed for a second.
func ListSettled(ctx context.Context, config *rest.Config) (Listing, error) {
	last, err := List(ctx, config)
	if err != nil {
		return nil, err
	}
	err = wait.PollUntilContextTimeout(ctx, time.Second, time.Minute, false, func(ctx context.Context) (bool, error) {
		now, err := List(ctx, config)
		if err != nil {
			return false, err
		}
		same := maps.Equal(last, now)
		last = now
		return same, nil
	})
	return last, err
}

// List returns everything in the cluster except events and leases, without what changes by itself:
// status, versions, and managed fields.
func List(ctx context.Context, config *rest.Config) (Listing, error) {
	kinds, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	groups, err := discovery.ServerPreferredResources(kinds)
	if err != nil {
		return nil, err
	}
	all := Listing{}
	for _, group := range groups {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, kind := range group.APIResources {
			if slices.Contains(ignored, kind.Kind) || !slices.Contains(kind.Verbs, "list") {
				continue
			}
			list, err := client.Resource(version.WithResource(kind.Name)).List(ctx, metav1.ListOptions{})
			if apierrors.IsNotFound(err) {
				continue // the kind is being deleted
			}
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", kind.Name, err)
			}
			for i := range list.Items {
				if err := all.add(version.Group, kind.Kind, &list.Items[i]); err != nil {
					return nil, err
				}
			}
		}
	}
	return all, nil
}

func (l Listing) add(group, kind string, object *unstructured.Unstructured) error {
	key := strings.Join([]string{group, kind, object.GetNamespace(), object.GetName()}, " ")
	delete(object.Object, "status")
	object.SetResourceVersion("")
	object.SetManagedFields(nil)
	text, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	l[key] = string(text)
	return nil
}

// Diff returns the differences between two listings.
func (l Listing) Diff(after Listing) []string {
	var diff []string
	for _, key := range slices.Sorted(maps.Keys(l)) {
		switch now, ok := after[key]; {
		case !ok:
			diff = append(diff, "gone: "+key)
		case now != l[key]:
			diff = append(diff, fmt.Sprintf("changed: %s\nfrom %s\nto   %s", key, l[key], now))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, ok := l[key]; !ok {
			diff = append(diff, "new: "+key+" "+after[key])
		}
	}
	return diff
}
