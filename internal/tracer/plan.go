package tracer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/kinds"
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
	// owners, of pods, sums up what decides who their owners are and whose lifecycles are recorded: when it changes, all pods have to be
	// looked at again.
	owners string
}

func (f following) equal(g following) bool {
	return f.gvk == g.gvk && f.roles == g.roles && f.owners == g.owners && f.tracked.SkipOwned == g.tracked.SkipOwned &&
		slices.Equal(f.tracked.PodSpecTemplatePaths, g.tracked.PodSpecTemplatePaths)
}

var (
	podKind  = kinds.Pod()
	nodeKind = kinds.Node()
)

// plan says which kinds are followed, and how, for a configuration.
func plan(config *trace.Config, nodes bool) map[schema.GroupVersionKind]following {
	planned := map[schema.GroupVersionKind]following{}
	add := func(gvk schema.GroupVersionKind, r role) {
		f := planned[gvk]
		f.gvk = gvk
		f.roles |= r
		planned[gvk] = f
	}
	for gvk, tracked := range config.TrackedObjects {
		add(gvk, roleObjects)
		f := planned[gvk]
		f.tracked = tracked
		planned[gvk] = f
	}
	// Following these costs the API server less than a question for each of their objects.
	for _, middle := range kinds.Between(config) {
		if _, tracked := config.TrackedObjects[middle]; !tracked {
			add(middle, roleOwners)
		}
	}
	if kinds.Lifecycles(config) {
		add(podKind, rolePods)
	}
	if f, pods := planned[podKind]; pods {
		f.owners = ownersPlan(config)
		planned[podKind] = f
	}
	if nodes {
		add(nodeKind, roleNodes)
	}
	return planned
}

// ownersPlan sums up which kinds are tracked, and whose lifecycles are recorded.
func ownersPlan(config *trace.Config) string {
	var b strings.Builder
	sorted := slices.SortedFunc(maps.Keys(config.TrackedObjects), func(a, b schema.GroupVersionKind) int {
		return cmp.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	})
	for _, gvk := range sorted {
		t := config.TrackedObjects[gvk]
		fmt.Fprintf(&b, "%s %t %t;", trace.FormatGVK(gvk), t.TrackLifecycle, gvk == podKind && t.SkipOwned)
	}
	return b.String()
}
