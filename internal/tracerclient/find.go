package tracerclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Defaults of Where.
const (
	DefaultNamespace = "simkube"
	DefaultService   = "sk-tracer"
)

// tracerPods selects the pods of tracers without a service.
const tracerPods = "app.kubernetes.io/name=sk-tracer"

// ErrNoTracer is returned if the cluster has no running tracer.
var ErrNoTracer = errors.New("no tracer")

// Where is where to find a tracer.
type Where struct {
	// Namespace is the namespace of the tracer. Empty means DefaultNamespace, or, if it is not there,
	// any namespace.
	Namespace string
	// Service is the name of its service. Empty means DefaultService.
	Service string
}

// Pod is a tracer's pod.
type Pod struct {
	Namespace, Name string
	// Port is the port of its API.
	Port int32
	// Known is whether the pod is in the place that the user, or the default, specifies. Any other pod
	// only has the label, which anyone may set on a pod: it must not receive secrets.
	Known bool
}

// Find finds a tracer in a cluster. The error wraps ErrNoTracer if there is none.
func Find(ctx context.Context, client corev1client.CoreV1Interface, where Where) (Pod, error) {
	namespace, service := where.Namespace, where.Service
	if namespace == "" {
		namespace = DefaultNamespace
	}
	if service == "" {
		service = DefaultService
	}
	svc, err := client.Services(namespace).Get(ctx, service, metav1.GetOptions{})
	switch {
	case err == nil:
		return findBehind(ctx, client, svc)
	case where.Service != "":
		return Pod{}, fmt.Errorf("%w: look for the service %s/%s: %w", ErrNoTracer, namespace, service, err)
	case !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err):
		return Pod{}, fmt.Errorf("look for the tracer: %w", err)
	}
	return findByLabel(ctx, client, where.Namespace)
}

// findBehind returns a pod of a service.
func findBehind(ctx context.Context, client corev1client.CoreV1Interface, svc *corev1.Service) (Pod, error) {
	if len(svc.Spec.Selector) == 0 || len(svc.Spec.Ports) == 0 {
		return Pod{}, fmt.Errorf("%w: the service %s/%s selects no pods, or has no port", ErrNoTracer, svc.Namespace, svc.Name)
	}
	pods, err := client.Pods(svc.Namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.SelectorFromSet(svc.Spec.Selector).String()})
	if err != nil {
		return Pod{}, fmt.Errorf("look for the tracer's pod of the service %s/%s: %w", svc.Namespace, svc.Name, err)
	}
	pod, err := usable(pods.Items, fmt.Sprintf("of the service %s/%s", svc.Namespace, svc.Name))
	if err != nil {
		return Pod{}, err
	}
	port := svc.Spec.Ports[0]
	for _, p := range svc.Spec.Ports {
		if p.Port == simkubev1.DefaultTracerPort {
			port = p
		}
	}
	number := port.TargetPort.IntVal
	switch {
	case port.TargetPort.Type == intstr.String:
		number = containerPort(pod, port.TargetPort.StrVal)
	case number == 0:
		number = port.Port
	}
	return Pod{Namespace: pod.Namespace, Name: pod.Name, Port: number, Known: true}, nil
}

// findByLabel returns a tracer's pod in a namespace, or in any if the namespace is empty.
func findByLabel(ctx context.Context, client corev1client.CoreV1Interface, namespace string) (Pod, error) {
	place := "in the namespace " + namespace
	if namespace == "" {
		place = "in any namespace"
	}
	pods, err := client.Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: tracerPods})
	if err != nil {
		return Pod{}, fmt.Errorf("look for a pod with the label %s %s: %w", tracerPods, place, err)
	}
	var namespaces []string
	for i := range pods.Items {
		namespaces = append(namespaces, pods.Items[i].Namespace)
	}
	slices.Sort(namespaces)
	if namespaces = slices.Compact(namespaces); len(namespaces) > 1 {
		return Pod{}, fmt.Errorf("there are tracers in %d namespaces: %s", len(namespaces), strings.Join(namespaces, ", "))
	}
	pod, err := usable(pods.Items, fmt.Sprintf("with the label %s %s", tracerPods, place))
	if err != nil {
		return Pod{}, err
	}
	return Pod{
		Namespace: pod.Namespace, Name: pod.Name, Port: containerPort(pod, "http"),
		Known: namespace != "" || pod.Namespace == DefaultNamespace,
	}, nil
}

// usable returns a ready pod, or else a running one. A tracer that is not ready may still have much
// recorded.
func usable(pods []corev1.Pod, which string) (*corev1.Pod, error) {
	var running *corev1.Pod
	for i := range pods {
		pod := &pods[i]
		if pod.Status.Phase != corev1.PodRunning || pod.DeletionTimestamp != nil {
			continue
		}
		running = pod
		if slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}) {
			return pod, nil
		}
	}
	switch {
	case running != nil:
		return running, nil
	case len(pods) > 0:
		return nil, fmt.Errorf("%w: the pod %s/%s %s is %s", ErrNoTracer, pods[0].Namespace, pods[0].Name, which, pods[0].Status.Phase)
	}
	return nil, fmt.Errorf("%w: there is no pod %s", ErrNoTracer, which)
}

// containerPort returns the number of a container's port, or the default if no port has the name.
func containerPort(pod *corev1.Pod, name string) int32 {
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return p.ContainerPort
			}
		}
	}
	return simkubev1.DefaultTracerPort
}
