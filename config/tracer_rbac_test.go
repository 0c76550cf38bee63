package config_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// Roles grant only named resources and belong to this build (cluster-admin does not), and only
// known accounts have roles.
func TestTracer_RBAC(t *testing.T) {
	accounts := []string{"simkube/sk-tracer", "simkube/sk-tracer-export", "monitoring/prometheus-k8s"}
	for _, b := range tracerBuilds(t) {
		for _, role := range all[*rbacv1.ClusterRole](b) {
			checkRules(t, b.name+": ClusterRole "+role.Name, role.Rules)
		}
		for _, role := range all[*rbacv1.Role](b) {
			checkRules(t, b.name+": Role "+role.Name, role.Rules)
		}
		subjects := map[string][]rbacv1.Subject{}
		for _, binding := range all[*rbacv1.ClusterRoleBinding](b) {
			named[*rbacv1.ClusterRole](t, b, binding.RoleRef.Name)
			subjects[binding.Name] = binding.Subjects
		}
		for _, binding := range all[*rbacv1.RoleBinding](b) {
			named[*rbacv1.Role](t, b, binding.RoleRef.Name)
			subjects["role "+binding.Name] = binding.Subjects
		}
		for binding, list := range subjects {
			for _, subject := range list {
				if account := subject.Namespace + "/" + subject.Name; subject.Kind != "ServiceAccount" || !slices.Contains(accounts, account) {
					t.Errorf("%s: binding %s is for %s %s", b.name, binding, subject.Kind, account)
				}
				if subject.Namespace == "simkube" {
					named[*corev1.ServiceAccount](t, b, subject.Name)
				}
			}
		}
		for _, account := range all[*corev1.ServiceAccount](b) {
			if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
				t.Errorf("%s: any pod of the account %s gets its token", b.name, account.Name)
			}
		}
	}
}

func checkRules(t *testing.T, where string, rules []rbacv1.PolicyRule) {
	t.Helper()
	reviews := []string{"tokenreviews", "subjectaccessreviews"}
	for _, rule := range rules {
		for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs} {
			if slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "*") }) {
				t.Errorf("%s has a wildcard: %v", where, rule)
			}
		}
		for _, url := range rule.NonResourceURLs {
			if !slices.Contains([]string{simkubev1.PathExport, simkubev1.AccessTracerStatus, "/metrics"}, url) {
				t.Errorf("%s has the path %s, which the tracer does not ask for: %v", where, url, rule)
			}
		}
		if slices.Contains(rule.Resources, "secrets") {
			t.Errorf("%s lets secrets be read: %v", where, rule)
		}
		for _, verb := range rule.Verbs {
			read := slices.Contains([]string{"get", "list", "watch"}, verb)
			ask := verb == "create" && !slices.ContainsFunc(rule.Resources, func(s string) bool { return !slices.Contains(reviews, s) })
			export := verb == "post" && slices.Equal(rule.NonResourceURLs, []string{"/export"})
			if !read && !ask && !export {
				t.Errorf("%s lets something be changed: %v", where, rule)
			}
		}
	}
}

// The tracer may read the kinds of its config, pods and nodes, and nothing else. A test of skctl
// checks that the role is the output of `skctl tracer-rbac`.
func TestTracer_RoleFitsConfig(t *testing.T) {
	text, err := os.ReadFile("tracer/base/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config, warnings, err := trace.ParseConfig(text)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("config: warnings %v, error %v", warnings, err)
	}
	want := map[schema.GroupResource]bool{{Resource: "pods"}: true, {Resource: "nodes"}: true}
	for gvk := range config.TrackedObjects {
		plural, _ := meta.UnsafeGuessKindToResource(gvk)
		want[plural.GroupResource()] = true
	}
	got := map[schema.GroupResource]bool{}
	for _, rule := range named[*rbacv1.ClusterRole](t, kustomize(t, tracerBase), "sk-tracer").Rules {
		if slices.Contains(rule.Verbs, "create") {
			continue // the reviews
		}
		if !slices.Contains(rule.Verbs, "list") || !slices.Contains(rule.Verbs, "watch") || !slices.Contains(rule.Verbs, "get") {
			t.Errorf("rule %v: kinds are listed and watched, and got when an owner is looked for", rule)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				got[schema.GroupResource{Group: group, Resource: resource}] = true
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the tracer may read (-want +got):\n%s", diff)
	}
}
