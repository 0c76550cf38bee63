package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SimulationRoot owns everything that one replay creates, directly or through other owners. It has
// no content: deleting it makes the garbage collector remove the whole simulation.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=simroot;simroots
type SimulationRoot struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is empty.
	Spec SimulationRootSpec `json:"spec"`
}

// SimulationRootSpec is empty: a root is identified by its name.
type SimulationRootSpec struct{}

// SimulationRootList is a list of SimulationRoots.
//
// +kubebuilder:object:root=true
type SimulationRootList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []SimulationRoot `json:"items"`
}
