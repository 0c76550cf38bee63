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
	return &out
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
