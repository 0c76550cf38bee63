package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"simkube.io/simkube/trace"
)

var namespaceKind = schema.GroupKind{Kind: "Namespace"}

func podSecurity() *Rule {
	return &Rule{
		Code: "E0107", Name: "pod_security", Severity: Error,
		Title: "The pod security of the namespace does not allow a pod.",
		Help: `The label pod-security.kubernetes.io/enforce of the namespace names a standard, baseline or restricted,
that the pods do not meet. The API server refuses them, in a simulation too, so their workloads get
no pods. In the recorded cluster, the label was set after the pods were created, the namespace was
exempt, or the pods did not run there either. Remove the label, as the suggestion does; or change
the pods.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			for _, r := range s.refused {
				c.report(rule, s, r.path, r.reason, func() string { return r.reason })
			}
		},
		suggest: func(c *Checker, rule *Rule, p *program) {
			namespaces := map[string]bool{}
			for key := range c.findings {
				if key.rule == rule {
					namespace, _ := trace.SplitNamespacedName(key.object.name)
					namespaces[namespace] = true
				}
			}
			p.command("remove(@gvk == %s && %s, metadata.labels.%q);", quote("v1.Namespace"), anyOf("metadata.name", slices.Sorted(maps.Keys(namespaces))), podsecurity.EnforceLevelLabel)
		},
	}
}

// refusal is a pod that the pod security of its namespace does not allow.
type refusal struct{ path, reason string }

// security evaluates the pod security of namespaces. Only those with a label restrict pods.
type security struct {
	evaluator policy.Evaluator
	levels    map[string]podsecurity.LevelVersion
}

// namespace reads the labels of a namespace.
func (s *security) namespace(o *trace.Object) {
	delete(s.levels, o.Name())
	u, err := o.Unstructured()
	if err != nil {
		return
	}
	labels := u.GetLabels()
	if labels[podsecurity.EnforceLevelLabel] == "" {
		return
	}
	privileged := podsecurity.LevelVersion{Level: podsecurity.LevelPrivileged, Version: podsecurity.LatestVersion()}
	level, _ := podsecurity.PolicyToEvaluate(labels, podsecurity.Policy{Enforce: privileged, Audit: privileged, Warn: privileged})
	if level.Enforce.Level == podsecurity.LevelPrivileged {
		return
	}
	if s.levels == nil {
		s.levels = map[string]podsecurity.LevelVersion{}
	}
	s.levels[o.Name()] = level.Enforce
}

// refused returns the pods of an object that its namespace does not allow. The function returns the
// paths of the pod templates of a kind.
func (s *security) refused(o *trace.Object, paths func(schema.GroupVersionKind) []string) []refusal {
	level, ok := s.levels[o.Namespace()]
	if !ok {
		return nil
	}
	pointers := paths(o.GVK())
	if len(pointers) == 0 {
		return nil
	}
	if s.evaluator == nil {
		evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
		if err != nil {
			return nil
		}
		s.evaluator = evaluator
	}
	u, err := o.Unstructured()
	if err != nil {
		return nil
	}
	var found []refusal
	for _, pointer := range pointers {
		locations, err := trace.ResolvePaths(u.Object, pointer)
		if err != nil {
			continue
		}
		for _, location := range locations {
			template, _ := location.Value.(map[string]any)
			var pod struct {
				Metadata metav1.ObjectMeta `json:"metadata"`
				Spec     corev1.PodSpec    `json:"spec"`
			}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, &pod); err != nil {
				continue
			}
			result := policy.AggregateCheckResults(s.evaluator.EvaluatePod(level, &pod.Metadata, &pod.Spec))
			if !result.Allowed {
				found = append(found, refusal{
					path:   skelPath(location.Pointer),
					reason: fmt.Sprintf("the namespace enforces %s, which does not allow: %s", level.String(), result.ForbiddenDetail()),
				})
			}
		}
	}
	return found
}

// skelPath converts the JSON pointer of a pod template to the SKEL path of its spec.
func skelPath(pointer string) string {
	var path strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch {
		case segment == "":
		case strings.Trim(segment, "0123456789") == "":
			fmt.Fprintf(&path, "[%s].", segment)
		default:
			path.WriteString(pathPart(segment) + ".")
		}
	}
	return strings.ReplaceAll(path.String()+"spec", ".[", "[")
}
