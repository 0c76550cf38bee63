package replay

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rank is when a task of an event has its turn: tasks of a rank wait until those of lower ranks
// were tried, since they may need them.
type rank int

// The ranks, in order.
const (
	// rankDeletions is for objects to delete, except for those of the other ranks of deletions.
	rankDeletions rank = iota
	// rankFormerScopes is for namespaces and definitions of kinds that the same event deletes and then
	// creates again.
	rankFormerScopes
	rankNamespaces
	// rankDefinitions is for definitions of kinds, which are tried only when their kinds are served.
	rankDefinitions
	rankClasses
	rankAccounts
	rankConfig
	rankVolumes
	rankOthers
	// rankWorkloads is for objects that create pods.
	rankWorkloads
	// rankScopes is for the deletion of namespaces and definitions of kinds, and of what is in them.
	rankScopes
)

var definitionKind = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// isScope reports whether the deletion of an object of a kind deletes other objects of a trace.
func isScope(kind schema.GroupKind) bool { return kind == namespaceKind || kind == definitionKind }

// applyRank returns the rank of an object to apply.
func applyRank(kind schema.GroupKind, createsPods bool) rank {
	switch {
	case createsPods:
		return rankWorkloads
	case kind == namespaceKind:
		return rankNamespaces
	case kind == definitionKind:
		return rankDefinitions
	case kind.Group == "rbac.authorization.k8s.io":
		return rankAccounts
	case kind.Group == "", kind.Group == "policy", kind.Group == "networking.k8s.io":
		return coreRank(kind.Kind)
	case strings.HasSuffix(kind.Kind, "Class"), kind.Group == "storage.k8s.io":
		return rankClasses
	case kind.Group == "resource.k8s.io":
		return rankVolumes
	}
	return rankOthers
}

func coreRank(kind string) rank {
	switch kind {
	case "IngressClass", "Node":
		return rankClasses
	case "ServiceAccount":
		return rankAccounts
	case "ConfigMap", "LimitRange", "NetworkPolicy", "PodDisruptionBudget", "ResourceQuota", "Secret":
		return rankConfig
	case "PersistentVolume", "PersistentVolumeClaim":
		return rankVolumes
	}
	return rankOthers
}
