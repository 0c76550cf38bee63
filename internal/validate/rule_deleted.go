package validate

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

func deletedNeverExisted() *Rule {
	return &Rule{
		Code: "W0102", Name: "deleted_never_existed", Severity: Warning,
		Title: "An object that does not exist is deleted.",
		Help: `The trace deletes an object that it did not create, or that it had already deleted: part of the
trace was removed or not recorded. The replay ignores the deletion, but the effects of the object
are missing too. Export the trace again with an earlier start or with fewer filters; or remove the
deletions, as the suggestion does.`,
		deleted: func(c *Checker, rule *Rule, s *occurrence) {
			c.report(rule, s, "", fmt.Sprint(s.time), func() string {
				if s.before {
					return "the object is deleted again"
				}
				return "the object is deleted, and was not in the trace before"
			})
		},
		suggest: suggestDeleted,
	}
}

// suggestDeleted removes the deletions: by name if the object is only ever deleted, one command for
// each namespace, otherwise individually.
func suggestDeleted(c *Checker, rule *Rule, p *program) {
	type place struct {
		gvk       schema.GroupVersionKind
		namespace string
	}
	only := map[place]map[string]bool{}
	var found []*Finding
	for key, finding := range c.findings {
		if key.rule != rule {
			continue
		}
		existed := c.exists(key.object.kind, key.object.name) || c.existedOnce(key.object)
		if existed {
			found = append(found, finding)
			continue
		}
		namespace, name := trace.SplitNamespacedName(key.object.name)
		at := place{finding.Object.GVK, namespace}
		if only[at] == nil {
			only[at] = map[string]bool{}
		}
		only[at][name] = true
	}
	places := slices.SortedFunc(maps.Keys(only), func(a, b place) int {
		return compareTexts(trace.FormatGVK(a.gvk), trace.FormatGVK(b.gvk), a.namespace, b.namespace)
	})
	for _, at := range places {
		names := slices.Sorted(maps.Keys(only[at]))
		p.command("delete(%s && %s);", objectSelector(at.gvk, at.namespace), anyOf("metadata.name", names))
	}
	sortFindings(found)
	for _, finding := range found {
		namespace, name := trace.SplitNamespacedName(finding.Object.Name)
		p.command("delete(@t == %d && %s && metadata.name == %s);", finding.Time, objectSelector(finding.Object.GVK, namespace), quote(name))
	}
}
