package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var (
	runtimeClassKind = schema.GroupVersionKind{Group: "node.k8s.io", Version: "v1", Kind: "RuntimeClass"}
	namespaceKind    = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
	limitRangeKind   = schema.GroupVersionKind{Version: "v1", Kind: "LimitRange"}
)

// admission is what the API server adds to pods when they are created: what their RuntimeClass and
// the LimitRanges of their namespace say.
type admission struct {
	runtimes map[string]*nodev1.RuntimeClass
	// requests are the default requests of containers, by namespace and by LimitRange.
	requests map[string]map[string]corev1.ResourceList
}

func newAdmission() *admission {
	return &admission{runtimes: map[string]*nodev1.RuntimeClass{}, requests: map[string]map[string]corev1.ResourceList{}}
}

// add adds the object if it is one that changes pods.
func (a *admission) add(object *trace.Object) error {
	switch object.GVK() {
	case runtimeClassKind:
		class := &nodev1.RuntimeClass{}
		if err := decodeInto(object, class); err != nil {
			return err
		}
		a.runtimes[class.Name] = class
	case limitRangeKind:
		limits := &corev1.LimitRange{}
		if err := decodeInto(object, limits); err != nil {
			return err
		}
		if a.requests[limits.Namespace] == nil {
			a.requests[limits.Namespace] = map[string]corev1.ResourceList{}
		}
		a.requests[limits.Namespace][limits.Name] = defaultRequests(limits)
	}
	return nil
}

// remove removes a LimitRange, or all of a namespace.
func (a *admission) remove(object *trace.Object) {
	switch object.GVK() {
	case limitRangeKind:
		delete(a.requests[object.Namespace()], object.Name())
	case namespaceKind:
		delete(a.requests, object.Name())
	}
}

func decodeInto(object *trace.Object, into any) error {
	u, err := object.Unstructured()
	if err != nil {
		return err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into); err != nil {
		return fmt.Errorf("read the %s: %w", object.GVK().Kind, err)
	}
	return nil
}

// defaultRequests returns what a container requests that says nothing: the API server derives it
// from the other limits if they do not include it.
func defaultRequests(limits *corev1.LimitRange) corev1.ResourceList {
	requests := corev1.ResourceList{}
	for i := range limits.Spec.Limits {
		limit := &limits.Spec.Limits[i]
		if limit.Type != corev1.LimitTypeContainer {
			continue
		}
		addMissing(requests, limit.DefaultRequest)
		addMissing(requests, limit.Default)
		addMissing(requests, limit.Max)
		addMissing(requests, limit.Min)
	}
	return requests
}

func addMissing(to, from corev1.ResourceList) {
	for name, quantity := range from {
		if _, ok := to[name]; !ok {
			to[name] = quantity
		}
	}
}

// admit changes the spec of a pod in a namespace as the API server does.
func (a *admission) admit(namespace string, spec *corev1.PodSpec) {
	byRange := a.requests[namespace]
	for _, name := range slices.Sorted(maps.Keys(byRange)) {
		setRequests(spec.Containers, byRange[name])
		setRequests(spec.InitContainers, byRange[name])
	}
	if spec.RuntimeClassName == nil {
		return
	}
	class := a.runtimes[*spec.RuntimeClassName]
	if class == nil {
		return
	}
	if class.Overhead != nil && spec.Overhead == nil {
		spec.Overhead = class.Overhead.PodFixed
	}
	if scheduling := class.Scheduling; scheduling != nil {
		selector := maps.Clone(scheduling.NodeSelector)
		if selector == nil {
			selector = map[string]string{}
		}
		for key, value := range spec.NodeSelector {
			// If they conflict, the API server rejects the pod.
			selector[key] = cmp.Or(selector[key], value)
		}
		if len(selector) > 0 {
			spec.NodeSelector = selector
		}
		for i := range scheduling.Tolerations {
			if !slices.Contains(spec.Tolerations, scheduling.Tolerations[i]) {
				spec.Tolerations = append(spec.Tolerations, scheduling.Tolerations[i])
			}
		}
	}
}

// setRequests adds requests to containers that have neither a request nor a limit for a resource.
func setRequests(containers []corev1.Container, requests corev1.ResourceList) {
	for i := range containers {
		resources := &containers[i].Resources
		for name, quantity := range requests {
			_, limited := resources.Limits[name]
			_, requested := resources.Requests[name]
			if limited || requested {
				continue
			}
			if resources.Requests == nil {
				resources.Requests = corev1.ResourceList{}
			}
			resources.Requests[name] = quantity
		}
	}
}
