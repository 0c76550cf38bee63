package validate

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"

	"simkube.io/simkube/trace"
)

func invalidName() *Rule {
	check := func(c *Checker, rule *Rule, s *occurrence) {
		if s.badName == nil {
			return
		}
		c.report(rule, s, s.badName.field, s.badName.namespace+"\x00"+s.badName.name, func() string { return s.badName.reason })
	}
	return &Rule{
		Code: "E0106", Name: "name_is_a_path", Severity: Error,
		Title: "The name or the namespace of an object cannot be part of a URL.",
		Help: `A name or a namespace that is . or .., or that contains a slash or a percent sign, would refer to
another object in the URL of a request. No cluster has such objects: they were made up, or the
program that wrote the trace has a bug. The replay sends no requests for them, and counts each as a
problem. Remove them, as the suggestion does.`,
		object: check, deleted: check,
		suggest: suggestName,
	}
}

// suggestName removes the objects.
func suggestName(c *Checker, rule *Rule, p *program) {
	var found []*Finding
	names := map[*Finding]string{}
	for key, finding := range c.findings {
		if key.rule == rule {
			found = append(found, finding)
			names[finding] = key.missing
		}
	}
	sortFindings(found)
	for _, finding := range found {
		namespace, name, _ := strings.Cut(names[finding], "\x00")
		p.command("delete(%s && metadata.name == %s);", objectSelector(finding.Object.GVK, namespace), quote(name))
	}
}

// badName is a name or a namespace that cannot be a segment of a URL path.
type badName struct{ namespace, name, field, reason string }

// findBadName returns the error in the names of an object, or nil.
func findBadName(o *trace.Object, namespacedName string) *badName {
	first, second, namespaced := strings.Cut(namespacedName, "/")
	if namespaced == (o.Namespace() != "") && len(content.IsPathSegmentName(first))+len(content.IsPathSegmentName(second)) == 0 {
		return nil // the usual case, without a copy of the name
	}
	bad := badName{namespace: o.Namespace(), name: o.Name()}
	for field, value := range map[string]string{"metadata.name": bad.name, "metadata.namespace": bad.namespace} {
		if problems := content.IsPathSegmentName(value); len(problems) > 0 && field > bad.field {
			bad.field, bad.reason = field, fmt.Sprintf("invalid value %q: %s", value, strings.Join(problems, ", "))
		}
	}
	if bad.field == "" {
		return nil
	}
	return &bad
}
