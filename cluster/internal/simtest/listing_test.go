package simtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
)

// listing is everything in the cluster: the kind, namespace and name of each object.
type listing map[string]bool

// everything returns the objects of all kinds but events.
func everything(ctx context.Context) (listing, error) {
	kinds, err := discovery.ServerPreferredResources(env.discovery)
	if err != nil {
		return nil, err
	}
	all := listing{}
	for _, group := range kinds {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, kind := range group.APIResources {
			if kind.Kind == "Event" || !slices.Contains(kind.Verbs, "list") || strings.Contains(kind.Name, "/") {
				continue
			}
			list, err := env.dynamic.Resource(version.WithResource(kind.Name)).List(ctx, metav1.ListOptions{})
			if apierrors.IsNotFound(err) {
				continue // the kind is being deleted
			}
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", kind.Name, err)
			}
			for i := range list.Items {
				all[strings.Join([]string{version.Group, kind.Kind, list.Items[i].GetNamespace(), list.Items[i].GetName()}, " ")] = true
			}
		}
	}
	return all, nil
}

// without returns what is in l and not in other, sorted.
func (l listing) without(other listing) []string {
	rest := maps.Clone(l)
	maps.DeleteFunc(rest, func(object string, _ bool) bool { return other[object] })
	return slices.Sorted(maps.Keys(rest))
}

// leavesNothing checks, when the test ends, that the cluster is as it is now. Nothing else may run
// meanwhile.
func leavesNothing(t *testing.T) {
	t.Helper()
	before, err := everything(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := waitUntilSame(context.WithoutCancel(t.Context()), before); err != nil {
			t.Error(err)
		}
	})
}

// waitUntilSame waits until the cluster holds what it held before.
func waitUntilSame(ctx context.Context, before listing) error {
	var more, less []string
	err := wait.PollUntilContextTimeout(ctx, 4*pollPeriod, waitTime, true, func(ctx context.Context) (bool, error) {
		after, err := everything(ctx)
		if err != nil {
			return false, err
		}
		more, less = after.without(before), before.without(after)
		return len(more)+len(less) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("the cluster is not as it was before (%w)\nmore: %s\nless: %s",
			err, strings.Join(more, "\n      "), strings.Join(less, "\n      "))
	}
	return nil
}
