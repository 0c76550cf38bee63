package tracer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// role is what a kind is followed for; several may come together.
type role uint8

const (
	// roleObjects: its objects are recorded.
	roleObjects role = 1 << iota
	// rolePods: it is v1.Pod, and lifecycles are recorded.
	rolePods
	// roleNodes: it is v1.Node, and what the nodes were is recorded.
	roleNodes
	// roleOwners: it stands between pods and what owns them, and only metadata is asked for.
	roleOwners
)

// following says how one kind is followed.
type following struct {
	gvk     schema.GroupVersionKind
	roles   role
	tracked trace.TrackedObject
	// lifecycles, of pods, sums up what decides whose lifecycles are recorded: when it changes, all pods have to be looked at again.
	lifecycles string
}

func (f following) equal(g following) bool {
	return f.gvk == g.gvk && f.roles == g.roles && f.lifecycles == g.lifecycles && f.tracked.SkipOwned == g.tracked.SkipOwned &&
		slices.Equal(f.tracked.PodSpecTemplatePaths, g.tracked.PodSpecTemplatePaths)
}

var (
	podKind  = corev1.SchemeGroupVersion.WithKind("Pod")
	nodeKind = corev1.SchemeGroupVersion.WithKind("Node")
)

// between has the kinds whose objects Kubernetes puts between an owner's and its pods. Following them costs the API server less than a
// question for each of them.
var between = map[schema.GroupVersionKind]schema.GroupVersionKind{
	{Group: "apps", Version: "v1", Kind: "Deployment"}: {Group: "apps", Version: "v1", Kind: "ReplicaSet"},
	{Group: "batch", Version: "v1", Kind: "CronJob"}:   {Group: "batch", Version: "v1", Kind: "Job"},
}

// plan says which kinds are followed, and how, for a configuration.
func plan(config *trace.Config, nodes bool) map[schema.GroupVersionKind]following {
	planned := map[schema.GroupVersionKind]following{}
	add := func(gvk schema.GroupVersionKind, r role) {
		f := planned[gvk]
		f.gvk = gvk
		f.roles |= r
		planned[gvk] = f
	}
	lifecycles := false
	for gvk, tracked := range config.TrackedObjects {
		add(gvk, roleObjects)
		f := planned[gvk]
		f.tracked = tracked
		planned[gvk] = f
		lifecycles = lifecycles || tracked.TrackLifecycle
	}
	// An untracked kind between is followed even when only an owner further up has lifecycles tracked, and when the owner
	// itself is only recorded: what its pods' owner is decides what is left out of an export.
	if _, pods := config.TrackedObjects[podKind]; pods || lifecycles {
		for owner, middle := range between {
			_, ownerTracked := config.TrackedObjects[owner]
			if _, middleTracked := config.TrackedObjects[middle]; ownerTracked && !middleTracked {
				add(middle, roleOwners)
			}
		}
	}
	if lifecycles {
		add(podKind, rolePods)
		f := planned[podKind]
		f.lifecycles = lifecyclePlan(config)
		planned[podKind] = f
	}
	if nodes {
		add(nodeKind, roleNodes)
	}
	return planned
}

// lifecyclePlan sums up whose lifecycles are recorded.
func lifecyclePlan(config *trace.Config) string {
	var b strings.Builder
	kinds := slices.SortedFunc(maps.Keys(config.TrackedObjects), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	})
	for _, gvk := range kinds {
		t := config.TrackedObjects[gvk]
		fmt.Fprintf(&b, "%s %t %t;", trace.FormatGVK(gvk), t.TrackLifecycle, gvk == podKind && t.SkipOwned)
	}
	return b.String()
}
