package nodes

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// Owner is a recorded object that has pods.
type Owner struct {
	GVK schema.GroupVersionKind
	// Name is namespace/name, or the name alone for a cluster-scoped object.
	Name string
	// Pods is the maximum number of pods that it has at a time; for a DaemonSet, which has one per
	// node, it is 1.
	Pods int
}

func compareOwners(a, b Owner) int {
	return cmp.Or(cmp.Compare(trace.FormatGVK(a.GVK), trace.FormatGVK(b.GVK)), cmp.Compare(a.Name, b.Name))
}

// mergeOwners sorts owners and merges those of the same object, adding up their pods.
func mergeOwners(owners []Owner) []Owner {
	owners = slices.Clone(owners)
	slices.SortStableFunc(owners, compareOwners)
	var out []Owner
	for _, owner := range owners {
		if n := len(out); n > 0 && compareOwners(out[n-1], owner) == 0 {
			out[n-1].Pods += owner.Pods
			continue
		}
		out = append(out, owner)
	}
	return out
}

// ownerNames lists the first three owners: "apps/v1.Deployment prod/api, prod/web, batch/v1.Job
// prod/load and 4 more".
func ownerNames(owners []Owner) string {
	const shown = 3
	var parts []string
	var last schema.GroupVersionKind
	for _, owner := range owners {
		name := owner.Name
		if owner.GVK != last {
			name = describe(owner.GVK, owner.Name)
		}
		last = owner.GVK
		parts = append(parts, name)
	}
	return words.First(shown, parts...)
}

// Finding is a set of pods that can never be scheduled on a set of nodes, with the reason.
type Finding struct {
	// Owners are the owners of the pods, sorted by kind and name. It is never empty.
	Owners []Owner
	// Pods is the number of the owners' pods that can never be scheduled.
	Pods int
	// Reason is a clause without a full stop, such as "needs nodeSelector disktype=ssd, which none of
	// the 14 nodes has (no node has the label disktype)".
	Reason string
}

// String returns the finding as one line, with the first three owners by name: "apps/v1.Deployment
// prod/api: 3 pods can never be scheduled: needs nodeSelector disktype=ssd, which ...".
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s can never be scheduled: %s", ownerNames(f.Owners), words.Count(f.Pods, "pod"), f.Reason)
}

// sortFindings merges findings with the same reason, and sorts by the number of pods, descending.
func sortFindings(findings []Finding) []Finding {
	byReason := map[string]*Finding{}
	for _, finding := range findings {
		known := byReason[finding.Reason]
		if known == nil {
			byReason[finding.Reason] = &finding
			continue
		}
		known.Owners = append(slices.Clone(known.Owners), finding.Owners...)
		known.Pods += finding.Pods
	}
	out := make([]Finding, 0, len(byReason))
	for _, finding := range byReason {
		finding.Owners = mergeOwners(finding.Owners)
		out = append(out, *finding)
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Pods, a.Pods), compareOwners(a.Owners[0], b.Owners[0]), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
