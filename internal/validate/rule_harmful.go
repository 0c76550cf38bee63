package validate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"simkube.io/simkube/trace"
)

func harmfulValue() *Rule {
	return &Rule{
		Code: "E0105", Name: "unbearable_value", Severity: Error,
		Title: "A quantity or a number of pods would overload any control plane.",
		Help: `To compare a quantity such as 1e999999999, Kubernetes expands all of its digits, which takes minutes
and gigabytes. A controller creates as many pods as its object requests until the memory is
exhausted. Numbers of pods above a million or below zero are reported. Such a value was not recorded
in a working cluster. skctl simulate rejects the trace too. Set the intended value. The suggestion
removes the field, so that the default of Kubernetes applies.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			for _, u := range s.facts.harmful {
				c.report(rule, s, u.Path, "", func() string { return u.Reason })
				c.patterns[findingKey{rule, s.key, u.Path, ""}] = u.pattern
			}
		},
		suggest: suggestHarmful,
	}
}

// suggestHarmful removes the fields.
func suggestHarmful(c *Checker, rule *Rule, p *program) {
	keys := slices.SortedFunc(maps.Keys(c.patterns), func(a, b findingKey) int {
		return cmp.Or(compareTexts(a.object.kind.String(), b.object.kind.String(), a.object.name, b.object.name, a.path, b.path))
	})
	written := map[string]bool{}
	for _, key := range keys {
		finding := c.findings[key]
		if finding == nil || key.rule != rule {
			continue
		}
		pattern := c.patterns[key]
		if pattern == "" {
			p.comment("%s %s: SKEL cannot express the path %s.", key.object.kind.Kind, key.object.name, key.path)
			continue
		}
		namespace, name := trace.SplitNamespacedName(key.object.name)
		command := fmt.Sprintf("remove(%s && metadata.name == %s, %s);", objectSelector(finding.Object.GVK, namespace), quote(name), pattern)
		if !written[command] {
			written[command] = true
			p.write(command)
		}
	}
}
