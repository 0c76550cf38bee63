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

// role is a set of purposes that a kind is followed for.
type role uint8

const (
	// roleObjects records the objects of the kind.
	roleObjects role = 1 << iota
	// rolePods records lifecycles; the kind is v1.Pod.
	rolePods
	// roleNodes records the nodes; the kind is v1.Node.
	roleNodes
	// roleOwners reads only the metadata of a kind between pods and their owners.
	roleOwners
)

// following is how one kind is followed.
type following struct {
	gvk     schema.GroupVersionKind
	roles   role
	tracked trace.TrackedObject
	// owners, which is set for pods, is a key of everything that determines their owners and whose
	// lifecycles are recorded: if it changes, all pods must be processed again.
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

// plan returns the kinds that are followed for a configuration, and how.
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
	// Following these costs the API server less than a request for each of their objects.
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

// ownersPlan returns a key of which kinds are tracked, and whose lifecycles are recorded.
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
