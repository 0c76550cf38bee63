package controlplane

import (
	"context"
	"fmt"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	rbacv1apply "k8s.io/client-go/applyconfigurations/rbac/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// rolePrefix precedes a component's name in those of its ClusterRole and ClusterRoleBinding.
const rolePrefix = "simkube:"

// grantRules lets each component do what its rules say, and returns once the API server goes by
// them.
func grantRules(ctx context.Context, config *rest.Config, components []Component) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	for _, c := range components {
		if len(c.Rules) == 0 {
			continue
		}
		if err := grant(ctx, client, &c); err != nil {
			return fmt.Errorf("grant %s its rules: %w", c.Name, err)
		}
	}
	return nil
}

func grant(ctx context.Context, client kubernetes.Interface, c *Component) error {
	name := rolePrefix + c.Name
	options := metav1.ApplyOptions{FieldManager: userAdmin, Force: true}
	role := rbacv1apply.ClusterRole(name)
	for _, rule := range c.Rules {
		role.WithRules(rbacv1apply.PolicyRule().
			WithVerbs(rule.Verbs...).
			WithAPIGroups(rule.APIGroups...).
			WithResources(rule.Resources...).
			WithResourceNames(rule.ResourceNames...).
			WithNonResourceURLs(rule.NonResourceURLs...))
	}
	if _, err := client.RbacV1().ClusterRoles().Apply(ctx, role, options); err != nil {
		return err
	}
	binding := rbacv1apply.ClusterRoleBinding(name).
		WithRoleRef(rbacv1apply.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("ClusterRole").WithName(name)).
		WithSubjects(rbacv1apply.Subject().WithAPIGroup(rbacv1.GroupName).WithKind(rbacv1.UserKind).WithName(c.userName()))
	if _, err := client.RbacV1().ClusterRoleBindings().Apply(ctx, binding, options); err != nil {
		return err
	}
	// The API server sees new roles through a watch of its own.
	return wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		review, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, accessReview(c), metav1.CreateOptions{})
		return err == nil && review.Status.Allowed, err
	})
}

// accessReview asks whether the component may do the first thing that its rules allow.
func accessReview(c *Component) *authorizationv1.SubjectAccessReview {
	rule := &c.Rules[0]
	spec := authorizationv1.SubjectAccessReviewSpec{User: c.userName(), Groups: c.Groups}
	if len(rule.NonResourceURLs) > 0 {
		spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: first(rule.NonResourceURLs), Verb: first(rule.Verbs)}
	} else {
		resource, subresource, _ := strings.Cut(first(rule.Resources), "/")
		spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Group: first(rule.APIGroups), Resource: resource, Subresource: subresource,
			Name: first(rule.ResourceNames), Verb: first(rule.Verbs),
		}
	}
	return &authorizationv1.SubjectAccessReview{Spec: spec}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
