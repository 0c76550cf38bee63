package validate

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// The kinds of the objects that pods refer to.
var (
	serviceAccountKind = schema.GroupKind{Kind: "ServiceAccount"}
	secretKind         = schema.GroupKind{Kind: "Secret"}
	configMapKind      = schema.GroupKind{Kind: "ConfigMap"}
	podKind            = schema.GroupKind{Kind: "Pod"}
	claimKind          = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	priorityClassKind  = schema.GroupKind{Group: "scheduling.k8s.io", Kind: "PriorityClass"}
	runtimeClassKind   = schema.GroupKind{Group: "node.k8s.io", Kind: "RuntimeClass"}
)

// spotUse holds the references seen at a spot.
type spotUse struct {
	// bad holds the namespaces of missing objects by name, good those of existing ones.
	bad, good map[string]map[string]bool
	// aliases holds the values of the deprecated field by the missing name.
	aliases map[string]map[string]bool
}

// referenceRule is a rule about an object that pods refer to.
type referenceRule struct {
	use  use
	kind schema.GroupKind
	// noun is the name of the kind in messages: "secret".
	noun string
	// cluster is true for cluster-scoped objects.
	cluster bool
	// waits reports whether pods of a kind wait for an object that comes later: they run as soon as it
	// is there, as they did in the recorded cluster. It is nil if none do.
	waits func(schema.GroupKind) bool
	// builtin reports whether a name exists in every cluster or namespace. It is nil if there is no
	// such name.
	builtin func(name string) bool
}

// check implements the object function of a Rule.
func (n referenceRule) check(c *Checker, rule *Rule, s *occurrence) {
	for i := range s.facts.refs {
		ref := &s.facts.refs[i]
		if ref.spot.use != n.use {
			continue
		}
		namespace, _ := trace.SplitNamespacedName(s.key.name)
		full := ref.name
		if !n.cluster {
			full = trace.NamespacedName(namespace, ref.name)
		}
		ok := ref.optional || n.builtin != nil && n.builtin(ref.name) || c.exists(n.kind, full)
		if !ok && n.waits != nil && n.waits(s.key.kind) {
			key := objectKey{n.kind, strings.Clone(full)} // so that full needs no allocation elsewhere
			c.awaited[key] = append(c.awaited[key], awaiting{rule: rule, by: *s, ref: *ref})
			continue
		}
		c.noteSpot(ref, namespace, ok)
		if !ok {
			c.report(rule, s, ref.path, ref.name, func() string { return n.message(c, ref.name) })
		}
	}
}

// awaiting is a reference to an object that may come later.
type awaiting struct {
	rule *Rule
	by   occurrence
	ref  reference
}

// finish implements the finish function of a Rule: it reports the references to objects that never
// came.
func (n referenceRule) finish(c *Checker, rule *Rule, _ *trace.Tail) {
	for _, references := range c.awaited {
		for i := range references {
			a := &references[i]
			if a.rule != rule {
				continue
			}
			namespace, _ := trace.SplitNamespacedName(a.by.key.name)
			c.noteSpot(&a.ref, namespace, false)
			c.report(rule, &a.by, a.ref.path, a.ref.name, func() string { return n.message(c, a.ref.name) })
		}
	}
}

// createdByControllers reports whether a controller creates the pods of a kind, and tries again if
// the API server rejects them.
func createdByControllers(kind schema.GroupKind) bool { return kind != podKind }

func (n referenceRule) message(c *Checker, name string) string {
	text := fmt.Sprintf("%s %q is not in the trace at that time", n.noun, name)
	if !c.records(n.kind) {
		text = fmt.Sprintf("%s %q is not in the trace, because objects of kind %s were not recorded", n.noun, name, n.kind.Kind)
	}
	return text
}

func (c *Checker) noteSpot(ref *reference, namespace string, ok bool) {
	seen := c.spots[ref.spot]
	if seen == nil {
		seen = &spotUse{bad: map[string]map[string]bool{}, good: map[string]map[string]bool{}, aliases: map[string]map[string]bool{}}
		c.spots[ref.spot] = seen
	}
	names := seen.good
	if !ok {
		names = seen.bad
		if ref.alias != "" {
			add(seen.aliases, ref.name, ref.alias)
		}
	}
	add(names, ref.name, namespace)
}

func add(sets map[string]map[string]bool, key, value string) {
	if sets[key] == nil {
		sets[key] = map[string]bool{}
	}
	sets[key][value] = true
}
