package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/definition"
	"simkube.io/simkube/internal/exclusion"
	"simkube.io/simkube/trace"
)

// kubernetesAPIs are the versions that a cluster serves by itself, by group, and those of SimKube's
// own kinds.
var kubernetesAPIs = map[string][]string{
	"":                             {"v1"},
	"admissionregistration.k8s.io": {"v1"},
	"apiextensions.k8s.io":         {"v1"},
	"apiregistration.k8s.io":       {"v1"},
	"apps":                         {"v1"},
	"authentication.k8s.io":        {"v1"},
	"authorization.k8s.io":         {"v1"},
	"autoscaling":                  {"v1", "v2"},
	"batch":                        {"v1"},
	"certificates.k8s.io":          {"v1"},
	"coordination.k8s.io":          {"v1"},
	"discovery.k8s.io":             {"v1"},
	"events.k8s.io":                {"v1"},
	"flowcontrol.apiserver.k8s.io": {"v1"},
	"networking.k8s.io":            {"v1"},
	"node.k8s.io":                  {"v1"},
	"policy":                       {"v1"},
	"rbac.authorization.k8s.io":    {"v1"},
	"resource.k8s.io":              {"v1"},
	"scheduling.k8s.io":            {"v1"},
	"simkube.io":                   {"v1"},
	"storage.k8s.io":               {"v1"},
}

// moved are kinds of which an older version can be read as a newer one without other changes.
var moved = map[schema.GroupVersionKind]string{
	{Group: "autoscaling", Version: "v2beta2", Kind: "HorizontalPodAutoscaler"}: "v2",
	{Group: "batch", Version: "v1beta1", Kind: "CronJob"}:                       "v1",
	{Group: "policy", Version: "v1beta1", Kind: "PodDisruptionBudget"}:          "v1",
	{Group: "scheduling.k8s.io", Version: "v1beta1", Kind: "PriorityClass"}:     "v1",
}

func movedTo(gvk schema.GroupVersionKind) (version string, ok bool) {
	version, ok = moved[gvk]
	return version, ok
}

func apiUnknown() *Rule {
	return &Rule{
		Code: "E0104", Name: "api_unknown", Severity: Error, early: true,
		Title: "The cluster of the replay will not serve the kind of an object.",
		Help: `A cluster serves the kinds of Kubernetes, in their current versions, and the kinds of
CustomResourceDefinitions. If the trace has the definition of a kind, it must come before the
objects; if it has none, skctl simulate serves the kind without one, but a cluster with other
workloads (--shared) does not. All other objects are rejected during the replay, and their pods are
missing. If the cluster does have the kind, use --known-api GROUP (and --crds FILE for skctl
simulate). Otherwise record CustomResourceDefinitions too, or remove the objects, as the suggestion
does. If only the version of a kind is outdated, the suggestion changes the version.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if c.serves(s.gvk) || c.defines(s.gvk) {
				return
			}
			c.report(rule, s, "apiVersion", trace.FormatGVK(s.gvk), func() string { return unknownAPI(s.gvk) })
		},
		suggest: suggestAPI,
	}
}

func unknownAPI(gvk schema.GroupVersionKind) string {
	versions := kubernetesAPIs[gvk.Group]
	switch {
	case versions == nil:
		return fmt.Sprintf("the definition of %s %s is not in the trace at that time", gvk.GroupVersion(), gvk.Kind)
	case slices.Contains(versions, gvk.Version):
		return fmt.Sprintf("%s has no kind %s", gvk.GroupVersion(), gvk.Kind)
	}
	return fmt.Sprintf("current clusters do not serve %s, but %s of that group", gvk.GroupVersion(), strings.Join(versions, ", "))
}

// ServesGroup reports whether every cluster serves a group of kinds.
func ServesGroup(group string) bool { return kubernetesAPIs[group] != nil }

// Serves reports whether every cluster serves a kind whose objects are kept.
func Serves(gvk schema.GroupVersionKind) bool {
	if !slices.Contains(kubernetesAPIs[gvk.Group], gvk.Version) {
		return false
	}
	switch gvk.Group {
	case simkubev1.GroupName, "apiregistration.k8s.io":
		return true // the scheme of Kubernetes' client does not have their kinds
	case exclusion.Definition.Group:
		return gvk.Kind == exclusion.Definition.Kind
	}
	return scheme.Scheme.Recognizes(gvk) && !isMessage(gvk.Kind)
}

// isMessage reports whether a kind is that of requests and responses, and not of objects.
func isMessage(kind string) bool {
	switch kind {
	case "APIGroup", "APIVersions", "Binding", "Eviction", "PodStatusResult", "RangeAllocation", "Scale", "SerializedReference", "Status", "TokenRequest", "WatchEvent":
		return true
	}
	return strings.HasSuffix(kind, "List") || strings.HasSuffix(kind, "Options") || strings.HasSuffix(kind, "Review")
}

// serves reports whether the cluster of the replay serves a kind in the current second.
func (c *Checker) serves(gvk schema.GroupVersionKind) bool {
	return Serves(gvk) || c.served[gvk] > 0 ||
		slices.Contains(c.opts.KnownAPIs, gvk.Group) || slices.Contains(c.opts.KnownAPIs, gvk.GroupVersion().String())
}

// defines reports whether the replay itself defines a kind that the trace does not define. Whether
// the trace does so later is known at its end.
func (c *Checker) defines(gvk schema.GroupVersionKind) bool {
	return !c.opts.Shared && definition.CanDefine(gvk, ServesGroup)
}

func kindUndefined() *Rule {
	return &Rule{
		Code: "W0107", Name: "kind_undefined", Severity: Info, early: true,
		Title: "The trace has objects of a custom kind, and not the definition of the kind.",
		Help: `skctl simulate serves the kind without a schema: any fields are accepted, and no defaults are set.
If pods depend on defaults, record CustomResourceDefinitions too, or use
--crds FILE. The suggestion removes the objects, and with them their pods.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if !c.serves(s.gvk) && c.defines(s.gvk) {
				c.report(rule, s, "apiVersion", trace.FormatGVK(s.gvk), func() string { return unknownAPI(s.gvk) })
			}
		},
		finish: func(c *Checker, rule *Rule, _ *trace.Tail) {
			unknown := c.rule(apiUnknown().Code)
			for key, finding := range c.findings {
				if key.rule != rule || !c.definedOnce[finding.Object.GVK.GroupKind()] || unknown == nil {
					continue
				}
				delete(c.findings, key)
				finding.Rule, key.rule = unknown, unknown
				c.findings[key] = finding
			}
		},
		suggest: suggestAPI,
	}
}

// rule returns the rule with a code, or nil if it is ignored.
func (c *Checker) rule(code string) *Rule {
	for _, rule := range c.rules {
		if rule.Code == code {
			return rule
		}
	}
	return nil
}

func suggestAPI(c *Checker, rule *Rule, p *program) {
	kinds := map[schema.GroupVersionKind]bool{}
	for key, finding := range c.findings {
		if key.rule == rule {
			kinds[finding.Object.GVK] = true
		}
	}
	sorted := slices.SortedFunc(maps.Keys(kinds), func(a, b schema.GroupVersionKind) int {
		return strings.Compare(trace.FormatGVK(a), trace.FormatGVK(b))
	})
	for _, gvk := range sorted {
		selector := "@gvk == " + quote(trace.FormatGVK(gvk))
		if version, ok := movedTo(gvk); ok {
			newer := schema.GroupVersion{Group: gvk.Group, Version: version}.String()
			p.command("modify(%s, apiVersion = %s);", selector, quote(newer))
			continue
		}
		p.command("delete(%s);", selector)
	}
}
