package main

import (
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	priorityBusiness = "business-critical"
	priorityData     = "data"
	priorityBatch    = "batch"
)

// foundations records what the workloads depend on: priority classes and, for the most important
// workloads, services, config maps and disruption budgets.
func foundations(r *recorder) {
	priorityClass(r, priorityData, 200_000, "Databases and queues.")
	priorityClass(r, priorityBusiness, 100_000, "What customers wait for.")
	priorityClass(r, priorityBatch, 100, "Work with an hour to spare. Above nothing but what has no priority.")
	for _, s := range deployments {
		if s.place == nil {
			continue
		}
		clusterService(r, s)
		if s.minReplicas >= 4 {
			budget(r, s)
		}
	}
	for _, s := range statefulSets {
		clusterService(r, s)
	}
	settings(r, "storefront", "shop-settings", map[string]string{"currency": "EUR", "free-shipping-from": "49.00"})
	settings(r, "payments", "providers", map[string]string{"providers.yaml": "- name: cards\n  retries: 2\n- name: wallet\n  retries: 1\n"})
	settings(r, "platform", "ingress-routes", map[string]string{"routes": "/ storefront/web-frontend\n/api storefront/mobile-api\n"})
}

func priorityClass(r *recorder, name string, value int32, description string) {
	never := corev1.PreemptNever
	class := &schedulingv1.PriorityClass{
		TypeMeta:    typeMeta(kindPriorityClass),
		ObjectMeta:  metav1.ObjectMeta{Name: name},
		Value:       value,
		Description: description,
	}
	if name == priorityBatch {
		class.PreemptionPolicy = &never
	}
	r.apply(0, class)
}

func clusterService(r *recorder, s service) {
	r.apply(0, &corev1.Service{
		TypeMeta:   typeMeta(kindService),
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.name, Labels: labelsOf(s.name)},
		Spec: corev1.ServiceSpec{
			Selector: labelsOf(s.name),
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	})
}

func budget(r *recorder, s service) {
	tenth := intstr.FromString("10%")
	r.apply(0, &policyv1.PodDisruptionBudget{
		TypeMeta:   typeMeta(kindBudget),
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.name, Labels: labelsOf(s.name)},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: &tenth,
			Selector:       &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
		},
	})
}

func settings(r *recorder, namespace, name string, data map[string]string) {
	r.apply(0, &corev1.ConfigMap{
		TypeMeta:   typeMeta(kindConfigMap),
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Data:       data,
	})
}
