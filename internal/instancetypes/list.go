package instancetypes

import (
	_ "embed"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/words"
)

// Capacity types, by the names that Karpenter has for them.
const (
	OnDemand = "on-demand"
	Spot     = "spot"
)

// List is a list of instance types.
type List struct {
	// Types are in the order of the file. Their names are unique.
	Types []Type
}

// Type is a type of instances.
type Type struct {
	Name string
	// Architecture and OperatingSystem are as in the labels of nodes: amd64, linux.
	Architecture, OperatingSystem string
	// Labels are further labels of the nodes, by which pods and node pools can choose the type.
	Labels map[string]string
	// Capacity is what an instance has, and Overhead what of it pods cannot have.
	Capacity, Overhead corev1.ResourceList
	// Offerings are the combinations of zone and capacity type that exist.
	Offerings []Offering
}

// Offering is a type in a zone.
type Offering struct {
	Zone, CapacityType string
	// Price is in US dollars per hour.
	Price float64
	// Available is whether there is capacity.
	Available bool
}

// General is the name of the list that is used if no other is chosen.
const General = "general"

//go:embed general.yaml
var general []byte

// Names returns the names of the built-in lists.
func Names() []string { return []string{General} }

// Builtin returns a built-in list. The error is about the name.
func Builtin(name string) (*List, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("invalid list of instance types %q: must be %s", name, words.Or(Names()...))
	}
	return Parse(name, general)
}
