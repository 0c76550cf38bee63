package instancetypes

import (
	"cmp"
	_ "embed"
	"fmt"
	"os"
	"slices"
	"time"

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
	// Startup is how long instances of this type take to join the cluster. Its zero value means
	// that the node class says it.
	Startup Startup
}

// Startup is how long an instance takes from its launch until its node joins the cluster. The
// durations have a log-normal distribution.
type Startup struct {
	// Median is more than 0, if it is set.
	Median time.Duration
	// P99 is the 99th percentile, and at least the median. It is 0 if all instances take the
	// median.
	P99 time.Duration
}

// Offering is a type in a zone.
type Offering struct {
	Zone, CapacityType string
	// Price is in US dollars per hour.
	Price float64
	// Available is whether there is capacity.
	Available bool
}

// The built-in lists.
const (
	// General is used if no other list is chosen. Its types do not belong to a cloud.
	General = "general"
	// AWS has the types of AWS in us-east-1.
	AWS = "aws"
)

//go:embed general.yaml
var general []byte

// Names returns the names of the built-in lists.
func Names() []string { return []string{General, AWS} }

// Builtin returns a built-in list. It is parsed at each call. The error is about the name.
func Builtin(name string) (*List, error) {
	switch name {
	case General:
		return Parse(name, general)
	case AWS:
		return parseAWS(awsTable)
	}
	return nil, fmt.Errorf("invalid list of instance types %q: must be %s", name, words.Or(Names()...))
}

// Open returns a built-in list, or reads a file; an empty name means [General]. Errors name the
// file; a *fs.PathError says that it cannot be read.
func Open(name string) (*List, error) {
	name = cmp.Or(name, General)
	if slices.Contains(Names(), name) {
		return Builtin(name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}
