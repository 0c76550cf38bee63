package main

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func typeMeta(kind schema.GroupVersionKind) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind}
}

func labelsOf(name string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": name}
}

func image(namespace, name, tag string) string {
	return "registry.example.com/" + namespace + "/" + name + ":" + tag
}

func requests(cpu, memory string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse(cpu),
		corev1.ResourceMemory: resource.MustParse(memory),
	}}
}

// server returns a container that serves requests.
func server(s service) corev1.Container {
	resources := requests(s.cpu, s.memory)
	resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(s.memory)}
	probe := func(path string, seconds int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(8080)}},
			PeriodSeconds: seconds,
		}
	}
	return corev1.Container{
		Name:           s.name,
		Image:          image(s.namespace, s.name, s.tag),
		Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
		Env:            []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "info"}, {Name: "ENVIRONMENT", Value: "production"}},
		Resources:      resources,
		ReadinessProbe: probe("/ready", 5),
		LivenessProbe:  probe("/healthz", 20),
	}
}

func template(s service) corev1.PodTemplateSpec {
	spec := corev1.PodSpec{Containers: []corev1.Container{server(s)}}
	if s.place != nil {
		s.place(s, &spec)
	}
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelsOf(s.name)}, Spec: spec}
}

func deployment(s service) *appsv1.Deployment {
	quarter := intstr.FromString("25%")
	return &appsv1.Deployment{
		TypeMeta:   typeMeta(kindDeployment),
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.name, Labels: labelsOf(s.name)},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(s.minReplicas)),
			Selector: &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
			Strategy: appsv1.DeploymentStrategy{
				Type:          appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &quarter, MaxUnavailable: &quarter},
			},
			Template: template(s),
		},
	}
}

// statefulSet returns a StatefulSet. It has no volume claims, so that a cluster without a
// provisioner can run its pods.
func statefulSet(s service) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		TypeMeta:   typeMeta(kindStatefulSet),
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.name, Labels: labelsOf(s.name)},
		Spec: appsv1.StatefulSetSpec{
			Replicas:            new(int32(s.minReplicas)),
			ServiceName:         s.name,
			PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector:            &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
			Template:            template(s),
		},
	}
}

func daemonSet(s service) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{
		TypeMeta:   typeMeta(kindDaemonSet),
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.name, Labels: labelsOf(s.name)},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labelsOf(s.name)},
			Template: template(s),
		},
	}
}
