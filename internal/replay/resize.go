package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// resize sets the resources of the containers of a pod to those of a manifest, in place. It reports
// whether any of them differ.
func (c *cluster) resize(ctx context.Context, at place, body []byte) (bool, error) {
	if err := checkNames(at.namespace, at.name); err != nil {
		return false, &taskError{Malformed, err}
	}
	var wanted corev1.Pod
	if err := json.Unmarshal(body, &wanted); err != nil {
		return false, &taskError{Malformed, fmt.Errorf("decode pod: %w", err)}
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	pods := c.typed.CoreV1().Pods(at.namespace)
	pod, err := pods.Get(ctx, at.name, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	patch, err := resizePatch(pod, &wanted)
	if err != nil || patch == nil {
		return false, err
	}
	if pod, err = reportSizes(ctx, pods, pod); err != nil {
		return false, err
	}
	pod, err = pods.Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: simkubev1.FieldManager}, "resize")
	if err != nil {
		return false, err
	}
	_, err = reportSizes(ctx, pods, pod)
	return err == nil, err
}

// reportSizes reports the resources of a pod's running containers in its status, as a kubelet does.
// KWOK does not, and without them the API server does not resize a pod.
func reportSizes(ctx context.Context, pods typedcorev1.PodInterface, pod *corev1.Pod) (*corev1.Pod, error) {
	status := map[string]any{}
	for field, lists := range map[string]struct {
		statuses   []corev1.ContainerStatus
		containers []corev1.Container
	}{
		"containerStatuses":     {pod.Status.ContainerStatuses, pod.Spec.Containers},
		"initContainerStatuses": {pod.Status.InitContainerStatuses, pod.Spec.InitContainers},
	} {
		if reported, changed := withSizes(lists.statuses, lists.containers); changed {
			status[field] = reported
		}
	}
	if len(status) == 0 {
		return pod, nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": pod.ResourceVersion}, "status": status})
	if err != nil {
		return nil, err
	}
	return pods.Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: simkubev1.FieldManager}, "status")
}

// withSizes returns the statuses of containers with the resources that running containers have in
// the specification, and reports whether that changed any.
func withSizes(statuses []corev1.ContainerStatus, containers []corev1.Container) (reported []corev1.ContainerStatus, changed bool) {
	sizes := map[string]*corev1.ResourceRequirements{}
	for i := range containers {
		sizes[containers[i].Name] = &containers[i].Resources
	}
	reported = slices.Clone(statuses)
	for i := range reported {
		size := sizes[reported[i].Name]
		if reported[i].State.Running == nil || size == nil || equality.Semantic.DeepEqual(reported[i].Resources, size) {
			continue
		}
		reported[i].Resources, reported[i].AllocatedResources = size, size.Requests
		changed = true
	}
	return reported, changed
}

// resizePatch returns the patch that gives the containers of a pod the wanted resources, or nil if
// they have them. Resources that only the pod has are kept: admission may have set them.
func resizePatch(pod, wanted *corev1.Pod) ([]byte, error) {
	spec := map[string]any{}
	for field, lists := range map[string][2][]corev1.Container{
		"initContainers": {pod.Spec.InitContainers, wanted.Spec.InitContainers},
		"containers":     {pod.Spec.Containers, wanted.Spec.Containers},
	} {
		if changed := resized(lists[0], lists[1]); len(changed) > 0 {
			spec[field] = changed
		}
	}
	if len(spec) == 0 {
		return nil, nil
	}
	return json.Marshal(map[string]any{"spec": spec})
}

func resized(containers, wanted []corev1.Container) []any {
	have := map[string]corev1.ResourceRequirements{}
	for i := range containers {
		have[containers[i].Name] = containers[i].Resources
	}
	var changed []any
	for i := range wanted {
		was, found := have[wanted[i].Name]
		if !found {
			continue
		}
		resources := map[string]any{}
		if list := differing(was.Requests, wanted[i].Resources.Requests); len(list) > 0 {
			resources["requests"] = list
		}
		if list := differing(was.Limits, wanted[i].Resources.Limits); len(list) > 0 {
			resources["limits"] = list
		}
		if len(resources) > 0 {
			changed = append(changed, map[string]any{"name": wanted[i].Name, "resources": resources})
		}
	}
	return changed
}

// differing returns the wanted quantities that others do not equal.
func differing(have, wanted corev1.ResourceList) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, quantity := range wanted {
		if was, found := have[name]; !found || was.Cmp(quantity) != 0 {
			list[name] = quantity
		}
	}
	return list
}
