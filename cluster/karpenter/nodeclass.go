package karpenter

import (
	_ "embed"
	"slices"

	"github.com/awslabs/operatorpkg/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// nodeClassKind is the kind of our node classes.
var nodeClassKind = schema.GroupVersionKind{Group: "simkube.io", Version: "v1", Kind: "NodeClass"}

//go:embed nodeclass.yaml
var nodeClassCRD []byte

// NodeClass says how the instances of node pools behave.
type NodeClass struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              NodeClassSpec   `json:"spec,omitempty"`
	Status            NodeClassStatus `json:"status,omitempty"`
}

// NodeClassSpec is the specification of a NodeClass.
type NodeClassSpec struct {
	// Startup is the time from the launch of an instance until its node is registered.
	Startup Delay `json:"startup,omitempty"`
	// Termination is how long an instance takes to stop once its node was drained.
	Termination Delay `json:"termination,omitempty"`
	// StartupTaints is the time from the registration of a node until its startup taints are removed,
	// as what they wait for does in a cluster.
	StartupTaints Delay `json:"startupTaints,omitempty"`
	// Shortages are when there is no capacity for instances.
	Shortages []Shortage `json:"shortages,omitempty"`
	// Interruptions are which instances the cloud takes back.
	Interruptions []Interruption `json:"interruptions,omitempty"`
}

// InstanceSelector selects instances; a list that is empty selects all.
type InstanceSelector struct {
	InstanceTypes []string `json:"instanceTypes,omitempty"`
	Zones         []string `json:"zones,omitempty"`
	CapacityTypes []string `json:"capacityTypes,omitempty"`
}

// Shortage is a time without capacity for some instances, in trace time since its start.
type Shortage struct {
	InstanceSelector `json:",inline"`
	From             metav1.Duration `json:"from,omitempty"`
	// Until is when it ends; 0 means never.
	Until metav1.Duration `json:"until,omitempty"`
}

// Interruption is how the cloud takes back some instances: each at random, or many at once.
type Interruption struct {
	InstanceSelector `json:",inline"`
	// PerHour is how often an instance is taken back in an hour on average, if that happens at random.
	PerHour float64 `json:"perHour,omitempty"`
	// At is when the instances that exist are taken back, in trace time since its start, and Share how
	// many of them.
	At    metav1.Duration `json:"at,omitempty"`
	Share float64         `json:"share,omitempty"`
}

// Delay is a random duration with a log-normal distribution, of which a median and the 99th
// percentile are given. Without a percentile it is always the median.
type Delay struct {
	Median metav1.Duration `json:"median,omitempty"`
	P99    metav1.Duration `json:"p99,omitempty"`
}

// NodeClassStatus is the status of a NodeClass. It is always ready, by its definition's defaults.
type NodeClassStatus struct {
	Conditions []status.Condition `json:"conditions,omitempty"`
}

// NodeClassList is a list of node classes.
type NodeClassList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NodeClass `json:"items"`
}

// StatusConditions implements status.Object.
func (c *NodeClass) StatusConditions(opts ...status.ForOption) status.ConditionSet {
	return status.NewReadyConditions().For(c, opts...)
}

// GetConditions implements status.Object.
func (c *NodeClass) GetConditions() []status.Condition { return c.Status.Conditions }

// SetConditions implements status.Object.
func (c *NodeClass) SetConditions(conditions []status.Condition) { c.Status.Conditions = conditions }

// DeepCopyObject implements runtime.Object.
func (c *NodeClass) DeepCopyObject() runtime.Object { return c.deepCopy() }

func (c *NodeClass) deepCopy() *NodeClass {
	out := *c
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.Conditions = slices.Clone(c.Status.Conditions)
	out.Spec.Shortages = slices.Clone(c.Spec.Shortages)
	for i := range out.Spec.Shortages {
		out.Spec.Shortages[i].InstanceSelector = c.Spec.Shortages[i].clone()
	}
	out.Spec.Interruptions = slices.Clone(c.Spec.Interruptions)
	for i := range out.Spec.Interruptions {
		out.Spec.Interruptions[i].InstanceSelector = c.Spec.Interruptions[i].clone()
	}
	return &out
}

func (s InstanceSelector) clone() InstanceSelector {
	return InstanceSelector{slices.Clone(s.InstanceTypes), slices.Clone(s.Zones), slices.Clone(s.CapacityTypes)}
}

// selects reports whether an offer of an instance is selected.
func (s InstanceSelector) selects(o offer) bool {
	has := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	return has(s.InstanceTypes, o.kind.Name) && has(s.Zones, o.offering.Zone()) && has(s.CapacityTypes, o.offering.CapacityType())
}

// DeepCopyObject implements runtime.Object.
func (l *NodeClassList) DeepCopyObject() runtime.Object {
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]NodeClass, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].deepCopy()
	}
	return &out
}

// register adds the kind to the scheme that Karpenter uses, which is client-go's own.
func register() {
	version := nodeClassKind.GroupVersion()
	scheme.Scheme.AddKnownTypes(version, &NodeClass{}, &NodeClassList{})
	metav1.AddToGroupVersion(scheme.Scheme, version)
}
