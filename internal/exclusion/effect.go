package exclusion

import (
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// created are the resources of the objects that controllers create in a replay, by group.
var created = map[string][]string{
	"":      {"pods", "persistentvolumeclaims"},
	"apps":  {"replicasets", "controllerrevisions"},
	"batch": {"jobs"},
}

// webhookMatters returns the path of the first rule of a webhook configuration that includes
// objects that controllers create.
func webhookMatters(manifest map[string]any) string {
	// The rules of both kinds of configurations have the same fields.
	var configuration admissionv1.ValidatingWebhookConfiguration
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(manifest, &configuration); err != nil {
		return ""
	}
	for i, webhook := range configuration.Webhooks {
		for j, rule := range webhook.Rules {
			if includes(rule) {
				return fmt.Sprintf("webhooks[%d].rules[%d]", i, j)
			}
		}
	}
	return ""
}

// policyMatters is webhookMatters for an admission policy. A binding has no effect of its own.
func policyMatters(manifest map[string]any) string {
	var policy admissionv1.ValidatingAdmissionPolicy
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(manifest, &policy)
	if err != nil || policy.Spec.MatchConstraints == nil || manifest["kind"] != "ValidatingAdmissionPolicy" && manifest["kind"] != "MutatingAdmissionPolicy" {
		return ""
	}
	for i, rule := range policy.Spec.MatchConstraints.ResourceRules {
		if includes(rule.RuleWithOperations) {
			return fmt.Sprintf("spec.matchConstraints.resourceRules[%d]", i)
		}
	}
	return ""
}

// includes reports whether a rule includes the creation of an object that controllers create.
func includes(rule admissionv1.RuleWithOperations) bool {
	if !slices.Contains(rule.Operations, admissionv1.Create) && !slices.Contains(rule.Operations, admissionv1.OperationAll) {
		return false
	}
	for group, resources := range created {
		if !slices.Contains(rule.APIGroups, group) && !slices.Contains(rule.APIGroups, "*") {
			continue
		}
		for _, resource := range rule.Resources {
			if resource == "*" || resource == "*/*" || slices.Contains(resources, resource) {
				return true
			}
		}
	}
	return false
}

// aggregates returns the path of the service to which the API server sends the requests for an API.
// The APIs that the API server serves itself have none.
func aggregates(manifest map[string]any) string {
	spec, _ := manifest["spec"].(map[string]any)
	if spec["service"] == nil {
		return ""
	}
	return "spec.service"
}
