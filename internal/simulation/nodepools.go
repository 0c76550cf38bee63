package simulation

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/instancetypes"
)

// labelCapacityType is Karpenter's label for spot and on-demand instances.
const labelCapacityType = "karpenter.sh/capacity-type"

// nodePool is what a node pool requires of nodes.
type nodePool struct{ requirements []requirement }

// requirement is one of the requirements of a NodePool of Karpenter.
type requirement struct {
	Key      string   `yaml:"key"`
	Operator string   `yaml:"operator"`
	Values   []string `yaml:"values"`
}

// defaultPool is what the pool requires that a simulation has without others. A test compares it
// with that pool.
func defaultPool() []nodePool {
	return []nodePool{{[]requirement{
		{corev1.LabelArchStable, "In", []string{"amd64"}},
		{corev1.LabelOSStable, "In", []string{"linux"}},
		{labelCapacityType, "In", []string{instancetypes.OnDemand}},
	}}}
}

// parsePools returns the node pools in a file of manifests, in YAML or JSON. It reports false if
// the file cannot be parsed, or has a NodeOverlay, which may change prices.
func parsePools(data []byte) ([]nodePool, bool) {
	var pools []nodePool
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc struct {
			Spec struct {
				Template struct {
					Spec struct {
						Requirements []requirement `yaml:"requirements"`
					} `yaml:"spec"`
				} `yaml:"template"`
			} `yaml:"spec"`
		}
		var node yaml.Node
		if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
			return pools, len(pools) > 0
		} else if err != nil {
			return nil, false
		}
		var kind struct {
			Kind string `yaml:"kind"`
		}
		if err := node.Decode(&kind); err != nil {
			return nil, false
		}
		switch kind.Kind {
		case "NodeOverlay":
			return nil, false
		case "NodePool":
			if err := node.Decode(&doc); err != nil {
				return nil, false
			}
			pools = append(pools, nodePool{doc.Spec.Template.Spec.Requirements})
		}
	}
}

// allows reports whether nodes of the pool can be of an offering. If that is not certain, it is
// true: an offer too many makes the bound of the cost lower, and one too few could make it wrong.
func (p nodePool) allows(t *instancetypes.Type, o *instancetypes.Offering) bool {
	labels := labelsOf(t, o)
	return !slices.ContainsFunc(p.requirements, func(r requirement) bool {
		value, ok := labels[r.Key]
		return ok && r.excludes(value)
	})
}

// excludes reports whether no node with this value of the label meets the requirement.
func (r requirement) excludes(value string) bool {
	switch r.Operator {
	case "In":
		return !slices.Contains(r.Values, value)
	case "NotIn":
		return slices.Contains(r.Values, value)
	case "Gt", "Lt":
		if len(r.Values) != 1 {
			return false
		}
		limit, err := strconv.Atoi(strings.TrimSpace(r.Values[0]))
		number, err2 := strconv.Atoi(value)
		if err != nil || err2 != nil {
			return false
		}
		return r.Operator == "Gt" && number <= limit || r.Operator == "Lt" && number >= limit
	}
	return false
}
