package timeline

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"simkube.io/simkube/trace"
)

// Filter says which objects are looked for. An object has to satisfy every field that is set; the zero Filter is satisfied by all.
type Filter struct {
	// Kinds are the kinds it may have: "Deployment" or "apps/v1.Deployment", in upper or lower case.
	Kinds []string
	// Namespaces are those it may be in; an empty one stands for the cluster-scoped objects.
	Namespaces []string
	// Name is a part of its name, or a pattern for the whole of it where there is a * or ? or [ in it, as in "web-*".
	Name string
	// Changes are what may happen to it.
	Changes []Change
	// Text is somewhere in its manifest, in upper or lower case: in a key, a string, or a number, true, false and null as JSON has
	// them. Binary data, which JSON does not have, is not looked at.
	Text string
	// Match decides at last. It is given the time of the event in unix seconds, and the object, which is valid only until Match returns;
	// of a deleted object that is what is recorded of it: its kind, namespace and name. Its error ends the search.
	Match func(time int64, obj *trace.Object) (bool, error)
}

// Check tells whether the filter can be used: whether Name is a pattern.
func (f *Filter) Check() error {
	if _, err := path.Match(f.Name, ""); err != nil {
		return fmt.Errorf("name %q: want a part of a name, or a pattern such as web-*: %w", f.Name, err)
	}
	return nil
}

// Empty tells whether the filter is satisfied by all objects.
func (f *Filter) Empty() bool { return f.indexOnly() && !f.byKey() && len(f.Changes) == 0 }

// indexOnly tells whether the index is enough to decide.
func (f *Filter) indexOnly() bool { return f.Text == "" && f.Match == nil }

// byKey tells whether it matters which object it is.
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
