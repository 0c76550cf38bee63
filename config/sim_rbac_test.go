package config_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// rulesOf returns the rules of every role in a build, by kind and name, "Role namespace/name".
func rulesOf(b *build) map[string][]rbacv1.PolicyRule {
	rules := map[string][]rbacv1.PolicyRule{}
	for _, role := range all[*rbacv1.ClusterRole](b) {
		rules["ClusterRole "+role.Name] = role.Rules
	}
	for _, role := range all[*rbacv1.Role](b) {
		rules["Role "+role.Namespace+"/"+role.Name] = role.Rules
	}
	return rules
}

// The tables of docs/sim-rbac.md match the rules.
func TestSim_RBACDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/sim-rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string][]string{}
	_, section, _ := strings.Cut(string(text), "\n## Rules\n")
	for _, part := range strings.Split(section, "\n### ")[1:] {
		heading, body, _ := strings.Cut(part, "\n")
		described[heading] = nil
		for line := range strings.Lines(body) {
			cells := strings.Split(strings.TrimSpace(line), " | ")
			if len(cells) != 4 || cells[0] == "| group" || strings.HasPrefix(cells[0], "| ---") {
				continue
			}
			if why := strings.TrimSuffix(cells[3], "|"); len(strings.TrimSpace(why)) < 5 {
				t.Errorf("%s: %s has no reason", heading, line)
			}
			described[heading] = append(described[heading], strings.TrimPrefix(strings.Join(cells[:3], " | "), "| "))
		}
	}
	actual := map[string][]string{}
	for role, rules := range rulesOf(simWithEverything(t)) {
		actual[role] = nil
		for _, rule := range rules {
			actual[role] = append(actual[role], describeRule(rule))
		}
	}
	if diff := cmp.Diff(actual, described); diff != "" {
		t.Errorf("rules (-manifests +docs/sim-rbac.md):\n%s", diff)
	}
}

func describeRule(rule rbacv1.PolicyRule) string {
	var groups []string
	for _, group := range rule.APIGroups {
		if group == "" {
			group = "core"
		}
		groups = append(groups, group)
	}
	what := strings.Join(rule.Resources, " ")
	if len(rule.ResourceNames) > 0 {
		what += fmt.Sprintf(" (%s)", strings.Join(rule.ResourceNames, " "))
	}
	return strings.Join([]string{strings.Join(groups, " "), what, strings.Join(rule.Verbs, " ")}, " | ")
}

// There are no wildcards, nobody may grant permissions, and only known roles may write secret data.
func TestSim_RBACIsLeast(t *testing.T) {
	for _, b := range simBuilds(t) {
		for role, rules := range rulesOf(b) {
			for _, rule := range rules {
				checkLeast(t, b.name+": "+role, role, rule)
			}
		}
	}
}

func checkLeast(t *testing.T, where, role string, rule rbacv1.PolicyRule) {
	t.Helper()
	for _, list := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs} {
		if slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, "*") }) {
			t.Errorf("%s has a wildcard: %v", where, rule)
		}
	}
	if slices.Contains(rule.APIGroups, rbacv1.GroupName) || len(rule.NonResourceURLs) > 0 ||
		slices.ContainsFunc([]string{"bind", "escalate", "impersonate"}, func(verb string) bool { return slices.Contains(rule.Verbs, verb) }) {
		t.Errorf("%s lets rights be granted or taken: %v", where, rule)
	}
	for _, resource := range []string{"pods/exec", "pods/attach", "nodes/proxy", "serviceaccounts/token", "certificatesigningrequests"} {
		if slices.Contains(rule.Resources, resource) {
			t.Errorf("%s has %s: %v", where, resource, rule)
		}
	}
	if slices.Contains(rule.Resources, "secrets") && role != "ClusterRole sk-driver-secrets" && role != "Role simkube/sk-ctrl-drivers" {
		t.Errorf("%s has secrets: %v", where, rule)
	}
}

// The roles are bound to the right accounts: sk-ctrl must not get drivers' secrets.
func TestSim_RBACBindings(t *testing.T) {
	got := map[string][]string{}
	b := simWithEverything(t)
	note := func(namespace string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
		role := ref.Kind + " " + ref.Name
		if ref.Kind == "Role" {
			role = ref.Kind + " " + namespace + "/" + ref.Name
		}
		if _, is := rulesOf(b)[role]; !is {
			t.Errorf("a binding is for %s, which there is not", role)
		}
		for _, subject := range subjects {
			got[role] = append(got[role], subject.Kind+" "+subject.Namespace+"/"+subject.Name)
			if subject.Namespace == "simkube" {
				named[*corev1.ServiceAccount](t, b, subject.Name)
			}
		}
	}
	for _, binding := range all[*rbacv1.ClusterRoleBinding](b) {
		note("", binding.RoleRef, binding.Subjects)
	}
	for _, binding := range all[*rbacv1.RoleBinding](b) {
		note(binding.Namespace, binding.RoleRef, binding.Subjects)
	}
	const ctrl, driver, kwok = "ServiceAccount simkube/sk-ctrl", "ServiceAccount simkube/sk-driver", "ServiceAccount simkube/sk-kwok"
	want := map[string][]string{
		"ClusterRole sk-ctrl":                {ctrl},
		"Role default/sk-simulation-events":  {ctrl, driver},
		"Role simkube/sk-ctrl":               {ctrl},
		"Role simkube/sk-ctrl-drivers":       {ctrl},
		"ClusterRole sk-driver":              {driver, ctrl},
		"ClusterRole sk-driver-secrets":      {driver},
		"Role simkube/sk-driver":             {driver},
		"Role simkube/sk-driver-lease":       {driver},
		"ClusterRole sk-kwok":                {kwok},
		"Role kube-node-lease/sk-kwok":       {kwok},
		"Role monitoring/sk-ctrl-prometheus": {ctrl},
		"Role simkube/sk-metrics":            {"ServiceAccount monitoring/prometheus-k8s"},
		"Role simkube/sk-ctrl-certificates":  {ctrl},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who gets which role (-want +got):\n%s", diff)
	}
}

// No overlay lets drivers read Secrets. config/sim/driver-secrets does, with a binding of its own,
// and grants nothing else.
func TestSim_SecretsAreAddedOnly(t *testing.T) {
	const role = "ClusterRole sk-driver-secrets"
	for _, overlay := range []string{simCluster, simNoKWOK, simDriverNamespace} {
		if rules, is := rulesOf(simBuild(t, overlay))[role]; is {
			t.Errorf("%s has %s: %v", overlay, role, rules)
		}
	}
	b := simBuild(t, simDriverSecrets)
	want := map[string][]rbacv1.PolicyRule{role: {{
		APIGroups: []string{""}, Resources: []string{"secrets"},
		Verbs: []string{"get", "list", "watch", "create", "patch", "update", "delete", "deletecollection"},
	}}}
	if diff := cmp.Diff(want, rulesOf(b)); diff != "" {
		t.Errorf("rules of %s (-want +got):\n%s", simDriverSecrets, diff)
	}
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "sk-driver", Namespace: "simkube"}}
	if diff := cmp.Diff(subjects, named[*rbacv1.ClusterRoleBinding](t, b, "sk-driver-secrets").Subjects); diff != "" {
		t.Errorf("whom it is bound to (-want +got):\n%s", diff)
	}
	if got := len(b.objects); got != 2 {
		t.Errorf("%s has %d objects, want the role and its binding", simDriverSecrets, got)
	}
	// A label of the aggregated roles would grant them to sk-ctrl as well.
	if labels := named[*rbacv1.ClusterRole](t, b, "sk-driver-secrets").Labels; labels["simkube.io/aggregate-to-driver"] != "" {
		t.Errorf("it is one of the aggregated roles: %v", labels)
	}
}

// A driver may apply and delete every kind that the tracer records, according to the aggregated
// roles, and may create no other objects from a node than pods.
func TestSim_DriverReplaysRecordings(t *testing.T) {
	b := simBuild(t, simCluster)
	sum := named[*rbacv1.ClusterRole](t, b, "sk-driver")
	if sum.AggregationRule == nil || len(sum.AggregationRule.ClusterRoleSelectors) != 1 || len(sum.Rules) != 0 {
		t.Fatalf("sk-driver is no sum of others: %+v", sum)
	}
	selector, err := metav1.LabelSelectorAsSelector(&sum.AggregationRule.ClusterRoleSelectors[0])
	if err != nil {
		t.Fatal(err)
	}
	may := map[schema.GroupResource][]string{}
	for _, role := range all[*rbacv1.ClusterRole](b) {
		if !selector.Matches(labels.Set(role.Labels)) {
			continue
		}
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					at := schema.GroupResource{Group: group, Resource: resource}
					may[at] = append(may[at], rule.Verbs...)
				}
			}
		}
	}
	text, err := os.ReadFile("tracer/base/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config, _, err := trace.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	want := []schema.GroupResource{{Resource: "namespaces"}, {Resource: "pods"}}
	for gvk := range config.TrackedObjects {
		plural, _ := meta.UnsafeGuessKindToResource(gvk)
		want = append(want, plural.GroupResource())
	}
	for _, resource := range want {
		for _, verb := range []string{"get", "list", "watch", "create", "patch", "delete"} {
			if !slices.Contains(may[resource], verb) {
				t.Errorf("a driver may not %s %s", verb, resource)
			}
		}
	}
	for _, verb := range []string{"list", "create", "patch", "delete"} { // deleteNodes, and apply
		if !slices.Contains(may[schema.GroupResource{Resource: "nodes"}], verb) {
			t.Errorf("a hook may not %s nodes", verb)
		}
	}
	if got := may[schema.GroupResource{Resource: "events"}]; !slices.Equal(got, []string{"list", "watch"}) {
		t.Errorf("a driver may %q events, want list and watch, to count pods that cannot be created", got)
	}
	if got := may[schema.GroupResource{Group: simkubev1.GroupName, Resource: "simulations"}]; slices.Contains(got, "update") || slices.Contains(got, "patch") {
		t.Errorf("a driver may change Simulations: %q", got)
	}
	if got := may[schema.GroupResource{Resource: "secrets"}]; got != nil {
		t.Errorf("secrets are in an aggregated role, and so sk-ctrl's: %q", got)
	}
}

// A further namespace for drivers has the same roles as the first.
func TestSim_DriverNamespace(t *testing.T) {
	first, other := rulesOf(simBuild(t, simCluster)), rulesOf(simBuild(t, simDriverNamespace))
	want := map[string][]rbacv1.PolicyRule{}
	for _, role := range []string{"sk-ctrl-drivers", "sk-driver"} {
		want["Role load-tests/"+role] = first["Role simkube/"+role]
	}
	if diff := cmp.Diff(want, other); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	b := simBuild(t, simDriverNamespace)
	named[*corev1.ServiceAccount](t, b, "sk-driver")
	bound := []string{}
	for _, binding := range all[*rbacv1.RoleBinding](b) {
		bound = append(bound, binding.Namespace+"/"+binding.RoleRef.Name+" "+binding.Subjects[0].Namespace+"/"+binding.Subjects[0].Name)
	}
	slices.Sort(bound)
	if diff := cmp.Diff([]string{
		"default/sk-simulation-events load-tests/sk-driver", "load-tests/sk-ctrl-drivers simkube/sk-ctrl",
		"load-tests/sk-driver load-tests/sk-driver", "simkube/sk-driver-lease load-tests/sk-driver",
	}, bound); diff != "" {
		t.Errorf("bindings (-want +got):\n%s", diff)
	}
}
