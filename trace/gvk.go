package trace

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ParseGVK parses a kind as traces and tracer configurations write it: "group/version.Kind", or
// "version.Kind" for the core group; "/version.Kind" is also accepted. A group may contain dots; a
// version and a kind must not. The error contains the string and is an ErrValue.
func ParseGVK(s string) (schema.GroupVersionKind, error) {
	group, rest, slash := strings.Cut(s, "/")
	if !slash {
		group, rest = "", s
	}
	version, kind, dot := strings.Cut(rest, ".")
	switch {
	case !dot || version == "" || kind == "":
		return schema.GroupVersionKind{}, classed(ErrValue, "kind %q: want group/version.Kind, or version.Kind for the core group", s)
	case strings.ContainsAny(version, "/") || strings.ContainsAny(kind, "./"):
		return schema.GroupVersionKind{}, classed(ErrValue, "kind %q: want group/version.Kind; a version and a kind contain no dots and no slashes", s)
	}
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}, nil
}

// FormatGVK is the inverse of ParseGVK: "apps/v1.Deployment", "v1.Pod".
func FormatGVK(gvk schema.GroupVersionKind) string {
	if gvk.Group == "" {
		return gvk.Version + "." + gvk.Kind
	}
	return gvk.Group + "/" + gvk.Version + "." + gvk.Kind
}

// NamespacedName returns the name as traces write it: "namespace/name", or "name" for a
// cluster-scoped object.
func NamespacedName(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// SplitNamespacedName is the inverse of NamespacedName.
func SplitNamespacedName(s string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(s, "/"); ok {
		return namespace, name
	}
	return "", s
}
