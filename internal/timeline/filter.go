package timeline

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"simkube.io/simkube/trace"
)

// Filter selects objects. An object must match every field that is set; all objects match the zero
// Filter.
type Filter struct {
	// Kinds are alternatives, such as "Deployment" or "apps/v1.Deployment", ignoring case.
	Kinds []string
	// Namespaces are alternatives; an empty one matches cluster-scoped objects.
	Namespaces []string
	// Name is a part of the name, or a pattern for the whole name if it contains *, ? or [, as in
	// "web-*".
	Name string
	// Changes are alternatives for what the event does to the object.
	Changes []Change
	// Text must occur in the manifest, ignoring case: in a key, a string, or a number, true, false or
	// null in their JSON form. Binary data, which JSON does not have, is not searched.
	Text string
	// Match is called last, with the time of the event in unix seconds and the object, which is valid
	// only until Match returns. Of a deleted object only what is recorded is there: its kind,
	// namespace and name. An error ends the search.
	Match func(time int64, obj *trace.Object) (bool, error)
}

// Check returns an error if Name is not a valid pattern.
func (f *Filter) Check() error {
	if _, err := path.Match(f.Name, ""); err != nil {
		return fmt.Errorf("invalid name %q: must be a part of a name, or a pattern such as web-*: %w", f.Name, err)
	}
	return nil
}

// Empty reports whether the filter matches all objects.
func (f *Filter) Empty() bool { return f.indexOnly() && !f.byKey() && len(f.Changes) == 0 }

// indexOnly reports whether the index is enough to evaluate the filter.
func (f *Filter) indexOnly() bool { return f.Text == "" && f.Match == nil }

// byKey reports whether the filter selects by kind, namespace or name.
func (f *Filter) byKey() bool { return len(f.Kinds) > 0 || len(f.Namespaces) > 0 || f.Name != "" }

func (f *Filter) matchesKey(key *Key) bool {
	if len(f.Kinds) > 0 && !slices.ContainsFunc(f.Kinds, func(kind string) bool {
		return strings.EqualFold(kind, key.GVK.Kind) || strings.EqualFold(kind, trace.FormatGVK(key.GVK))
	}) {
		return false
	}
	if len(f.Namespaces) > 0 && !slices.Contains(f.Namespaces, key.Namespace) {
		return false
	}
	if strings.ContainsAny(f.Name, "*?[") {
		ok, err := path.Match(f.Name, key.Name)
		return ok && err == nil
	}
	return strings.Contains(key.Name, f.Name)
}

func (f *Filter) matchesChange(c Change) bool {
	return len(f.Changes) == 0 || slices.Contains(f.Changes, c)
}
