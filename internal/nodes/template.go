package nodes

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	podrequests "k8s.io/component-helpers/resource"
)

// podTemplate is a distinct kind of pod for the scheduler: templates that differ only in fields
// that the scheduler ignores are the same.
type podTemplate struct {
	// pod has only the fields that scheduling depends on, plus the tolerations that a controller adds.
	pod *corev1.Pod
	// perNode is whether it is the template of a DaemonSet.
	perNode bool
	// requests are what the scheduler counts, in thousandths of a core for cpu and in units otherwise,
	// including one pod.
	requests amounts
	// attached is how many volumes of each driver a pod has for itself, by names with volumePrefix.
	// Nodes have limits for them, but no amounts.
	attached amounts
	// remarks are properties that may keep the pods from running and that cannot be checked.
	remarks []string
	// classes are the cluster-scoped objects that must exist, or else the API server rejects the pods.
	classes []classRef
	// claims are its claims of devices.
	claims []claimRef
	// ports are the ports of a node that a pod takes.
	ports []hostPort
}

// classRef names a PriorityClass or RuntimeClass.
type classRef struct{ Kind, Name string }

// classesOf returns the classes that a pod refers to and that a cluster does not have by default.
func classesOf(spec *corev1.PodSpec) []classRef {
	var out []classRef
	if name := spec.PriorityClassName; name != "" && !strings.HasPrefix(name, "system-") {
		out = append(out, classRef{"PriorityClass", name})
	}
	if spec.RuntimeClassName != nil {
		out = append(out, classRef{"RuntimeClass", *spec.RuntimeClassName})
	}
	return out
}

// templateKey identifies a podTemplate.
type templateKey [sha256.Size]byte

// amounts are quantities as integers: thousandths for cpu, units for all others.
type amounts map[corev1.ResourceName]int64

func amountsOf(list corev1.ResourceList) amounts {
	out := make(amounts, len(list))
	for name, quantity := range list {
		out[name] = amountOf(name, quantity)
	}
	return out
}

func amountOf(name corev1.ResourceName, quantity resource.Quantity) int64 {
	if name == corev1.ResourceCPU {
		return quantity.MilliValue()
	}
	return quantity.Value()
}

// newTemplate reduces a recorded template to what the scheduler uses, after admission.
func newTemplate(use templateUse, admission *admission) (templateKey, *podTemplate, error) {
	var recorded struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
		Spec     corev1.PodSpec    `json:"spec"`
	}
	// Only these two are converted: the status of a bare pod is not needed.
	relevant := map[string]any{"spec": use.template["spec"]}
	if metadata, ok := use.template["metadata"].(map[string]any); ok {
		relevant["metadata"] = map[string]any{"labels": metadata["labels"]}
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(relevant, &recorded); err != nil {
		return templateKey{}, nil, fmt.Errorf("read the pod template: %w", err)
	}
	admission.admit(use.namespace, &recorded.Spec)
	spec := schedulingSpec(&recorded.Spec)
	restrict(&spec, use.nodes)
	if use.bare {
		// A bare pod is recorded after it was scheduled; its node is not part of its requirements.
		spec.NodeName = ""
	}
	pod := &corev1.Pod{Spec: spec}
	if usesPodLabels(&spec) {
		pod.Labels = recorded.Metadata.Labels
	}
	template := &podTemplate{
		pod: pod, perNode: use.perNode, attached: use.attached,
		remarks: remarks(&recorded.Spec), classes: classesOf(&recorded.Spec), claims: claimsOf(&recorded.Spec, use.namespace),
	}
	text, err := json.Marshal(struct {
		Pod      *corev1.Pod
		PerNode  bool
		Attached amounts
		Remarks  []string
		Classes  []classRef
		Claims   []claimRef
	}{pod, template.perNode, template.attached, template.remarks, template.classes, template.claims})
	if err != nil {
		return templateKey{}, nil, fmt.Errorf("compare the pod template: %w", err)
	}
	template.complete()
	return sha256.Sum256(text), template, nil
}

// schedulingSpec returns a spec with only the fields that the scheduler uses.
func schedulingSpec(spec *corev1.PodSpec) corev1.PodSpec {
	out := corev1.PodSpec{
		NodeName:     spec.NodeName,
		NodeSelector: spec.NodeSelector,
		Tolerations:  spec.Tolerations,
		Overhead:     spec.Overhead,
		Resources:    withDefaultRequests(spec.Resources),
	}
	if a := spec.Affinity; a != nil {
		kept := &corev1.Affinity{}
		if n := a.NodeAffinity; n != nil && n.RequiredDuringSchedulingIgnoredDuringExecution != nil {
			kept.NodeAffinity = &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: n.RequiredDuringSchedulingIgnoredDuringExecution,
			}
		}
		if p := a.PodAffinity; p != nil && len(p.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
			kept.PodAffinity = &corev1.PodAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: p.RequiredDuringSchedulingIgnoredDuringExecution,
			}
		}
		if p := a.PodAntiAffinity; p != nil && len(p.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
			kept.PodAntiAffinity = &corev1.PodAntiAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: p.RequiredDuringSchedulingIgnoredDuringExecution,
			}
		}
		if *kept != (corev1.Affinity{}) {
			out.Affinity = kept
		}
	}
	for _, constraint := range spec.TopologySpreadConstraints {
		if constraint.WhenUnsatisfiable == corev1.DoNotSchedule {
			out.TopologySpreadConstraints = append(out.TopologySpreadConstraints, constraint)
		}
	}
	for _, c := range spec.Containers {
		out.Containers = append(out.Containers, corev1.Container{
			Resources: *withDefaultRequests(&c.Resources),
			Ports:     portsOnHost(c.Ports, spec.HostNetwork),
		})
	}
	for _, c := range spec.InitContainers {
		out.InitContainers = append(out.InitContainers, corev1.Container{
			Resources:     *withDefaultRequests(&c.Resources),
			RestartPolicy: c.RestartPolicy, // Always makes it a sidecar, whose requests count differently
			Ports:         portsOnHost(c.Ports, spec.HostNetwork),
		})
	}
	return out
}

// withDefaultRequests does what an API server does to a pod, but not to its template: a resource
// with a limit and no request gets the limit as its request.
func withDefaultRequests(in *corev1.ResourceRequirements) *corev1.ResourceRequirements {
	if in == nil {
		return nil
	}
	requests := maps.Clone(in.Requests)
	for name, limit := range in.Limits {
		if _, ok := requests[name]; !ok {
			if requests == nil {
				requests = corev1.ResourceList{}
			}
			requests[name] = limit
		}
	}
	return &corev1.ResourceRequirements{Requests: requests}
}

// usesPodLabels reports whether the pod's own labels affect which nodes it can run on.
func usesPodLabels(spec *corev1.PodSpec) bool {
	return len(spec.TopologySpreadConstraints) > 0 ||
		spec.Affinity != nil && (spec.Affinity.PodAffinity != nil || spec.Affinity.PodAntiAffinity != nil)
}

// complete adds what the pod gets in a cluster, and sets the requests and the ports.
func (t *podTemplate) complete() {
	spec := &t.pod.Spec
	if t.perNode {
		// The DaemonSet controller also creates pods on cordoned nodes.
		spec.Tolerations = append(slices.Clone(spec.Tolerations), corev1.Toleration{
			Key: corev1.TaintNodeUnschedulable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule,
		})
	}
	t.requests = amountsOf(podrequests.PodRequests(t.pod, podrequests.PodResourcesOptions{}))
	for name, amount := range t.requests {
		if amount <= 0 {
			delete(t.requests, name)
		}
	}
	t.requests[corev1.ResourcePods] = 1
	t.ports = hostPorts(spec)
}

// remarks returns what may keep a pod from running for reasons other than the nodes.
func remarks(spec *corev1.PodSpec) []string {
	var out []string
	if name := spec.SchedulerName; name != "" && name != corev1.DefaultSchedulerName {
		out = append(out, fmt.Sprintf("use the scheduler %q: they stay pending unless the scheduler configuration has a profile of that name", name))
	}
	if len(spec.SchedulingGates) > 0 {
		out = append(out, "have scheduling gates: they stay pending until something removes the gates")
	}
	return out
}
