package karpenter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Nodes are removed and replaced as the pool says. Each case has a Deployment of a large and one of
// a small pod, which fit on one node, and then something happens.
func TestDisruption(t *testing.T) {
	t.Parallel()
	const onDemand = `[{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]`
	withoutLarge := func(t *testing.T, id string) { scale(t, id+"-large", 0) }
	withoutAny := func(t *testing.T, id string) {
		scale(t, id+"-large", 0)
		scale(t, id+"-small", 0)
	}
	kept := func(p *corev1.PodTemplateSpec) {
		p.Annotations = map[string]string{"karpenter.sh/do-not-disrupt": "true"}
	}
	for name, c := range map[string]struct {
		pool map[string]string
		pods func(*corev1.PodTemplateSpec)
		// protected means that a PodDisruptionBudget allows no disruption.
		protected bool
		then      func(t *testing.T, id string)
		// want are the nodes at the end; replaced means that none of them is one of the first.
		want     []string
		replaced bool
		// again means that nodes are replaced again and again: each of them must have the wanted capacity
		// type, but the pods may be on several smaller ones.
		again bool
	}{
		"empty, when empty":            {pool: map[string]string{"policy": "WhenEmpty"}, then: withoutAny},
		"empty, when underutilized":    {pool: map[string]string{}, then: withoutAny},
		"empty, but never consolidate": {pool: map[string]string{"consolidateAfter": "Never"}, then: withoutAny, want: []string{"amd-16 on-demand"}},
		"empty, but without a budget": {
			pool: map[string]string{"budgets": `[{nodes: "0"}]`}, then: withoutAny, want: []string{"amd-16 on-demand"},
		},
		"empty, but later": {pool: map[string]string{"consolidateAfter": "1h"}, then: withoutAny, want: []string{"amd-16 on-demand"}},
		"underutilized":    {pool: map[string]string{}, then: withoutLarge, want: []string{"amd-2 on-demand"}, replaced: true},
		"underutilized, budget for other reasons": {
			pool: map[string]string{"budgets": `[{nodes: "0", reasons: [Underutilized]}, {nodes: "100%"}]`}, then: withoutLarge, want: []string{"amd-16 on-demand"},
		},
		"underutilized, when empty":     {pool: map[string]string{"policy": "WhenEmpty"}, then: withoutLarge, want: []string{"amd-16 on-demand"}},
		"underutilized, do not disrupt": {pool: map[string]string{}, pods: kept, then: withoutLarge, want: []string{"amd-16 on-demand"}},
		"underutilized, protected":      {pool: map[string]string{}, protected: true, then: withoutLarge, want: []string{"amd-16 on-demand"}},
		"underutilized spot, without its gate": {
			pool: map[string]string{"requirements": "[]"}, then: withoutLarge, want: []string{"amd-16 spot"},
		},
		"expired": {pool: map[string]string{"consolidateAfter": "Never", "expireAfter": "20s"}, want: []string{"amd-16 on-demand"}, replaced: true},
		"drifted": {
			pool: map[string]string{"consolidateAfter": "Never"}, want: []string{"amd-16 on-demand"}, replaced: true,
			then: func(t *testing.T, id string) {
				patch := []byte(`{"spec": {"template": {"metadata": {"annotations": {"example.com/changed": "true"}}}}}`)
				if _, err := objects.Resource(poolResource).Patch(t.Context(), id, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
					t.Fatal(err)
				}
			},
		},
		"interrupted": {
			pool: map[string]string{"consolidateAfter": "Never", "class": "interrupted", "requirements": "[]"}, want: []string{"spot"}, replaced: true, again: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := "d" + strings.NewReplacer(" ", "", ",", "").Replace(name)
			fields := map[string]string{"consolidateAfter": "0s", "requirements": onDemand}
			for key, value := range c.pool {
				fields[key] = value
			}
			// Both Deployments exist before there is a node.
			createDeployment(t, id+"-large", id, "13", c.pods)
			createDeployment(t, id+"-small", id, "1", c.pods)
			if c.protected {
				protect(t, id)
			}
			awaitUnschedulable(t, id, 2)
			createPool(t, id, id, fields)
			awaitRunning(t, id, 2)
			first := nodesOf(t, id)
			if c.then != nil {
				c.then(t, id)
			}
			if !c.replaced && len(c.want) > 0 {
				time.Sleep(2*disruptionPeriod + settleTime)
			}
			eventually(t, fmt.Sprintf("nodes %q", c.want), func(context.Context) (bool, error) {
				var got []string
				for _, n := range nodesOf(t, id) {
					if c.replaced && slices.ContainsFunc(first, func(f corev1.Node) bool { return f.Name == n.Name }) {
						return false, nil
					}
					node := n.Labels["karpenter.sh/capacity-type"]
					if !c.again {
						node = n.Labels[corev1.LabelInstanceTypeStable] + " " + node
					}
					got = append(got, node)
				}
				if c.again {
					got = slices.Compact(got)
				}
				return slices.Equal(got, c.want), nil
			})
		})
	}
}

func createDeployment(t *testing.T, name, id, cpu string, change func(*corev1.PodTemplateSpec)) {
	t.Helper()
	labels := map[string]string{labelCase: id, "deployment": name}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: podTemplate(labels, id, cpu)},
	}
	if change != nil {
		change(&d.Spec.Template)
	}
	deployments := kube.AppsV1().Deployments("default")
	if _, err := deployments.Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deployments.Delete(background(t), name, metav1.DeleteOptions{}) })
}

func createDaemonSet(t *testing.T, id, cpu string) {
	t.Helper()
	labels := map[string]string{labelCase: id, "daemon": id}
	d := &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: id},
		Spec:       appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: podTemplate(labels, id, cpu)},
	}
	sets := kube.AppsV1().DaemonSets("default")
	if _, err := sets.Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sets.Delete(background(t), id, metav1.DeleteOptions{}) })
	// Karpenter counts the DaemonSets that it knows.
	eventually(t, "the DaemonSet to be observed", func(ctx context.Context) (bool, error) {
		d, err := sets.Get(ctx, id, metav1.GetOptions{})
		return err == nil && d.Status.ObservedGeneration > 0, err
	})
}

func podTemplate(labels map[string]string, id, cpu string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{
			NodeSelector: map[string]string{labelCase: id},
			Containers:   []corev1.Container{{Name: "main", Image: "example.com/main", Resources: corev1.ResourceRequirements{Requests: cpus(cpu)}}},
		},
	}
}

func scale(t *testing.T, deployment string, replicas int) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"spec": {"replicas": %d}}`, replicas)
	if _, err := kube.AppsV1().Deployments("default").Patch(t.Context(), deployment, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// protect forbids all disruption of a case's pods.
func protect(t *testing.T, id string) {
	t.Helper()
	none := intstr.FromInt32(0)
	budget := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: id},
		Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &none, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{labelCase: id}}},
	}
	budgets := kube.PolicyV1().PodDisruptionBudgets("default")
	if _, err := budgets.Create(t.Context(), budget, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = budgets.Delete(background(t), id, metav1.DeleteOptions{}) })
}
