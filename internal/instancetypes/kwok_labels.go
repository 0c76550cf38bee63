package instancetypes

import (
	"regexp"

	corev1 "k8s.io/api/core/v1"
)

// commonLabels collects requirements of offerings that could be labels of their type, since all
// offerings require the same value.
type commonLabels struct {
	offerings int
	// values has the value, and how many offerings have it. The value is empty if there are
	// several.
	values map[string]*commonValue
}

type commonValue struct {
	value string
	count int
}

func newCommonLabels() *commonLabels { return &commonLabels{values: map[string]*commonValue{}} }

func (c *commonLabels) add(requirements []corev1.NodeSelectorRequirement) {
	c.offerings++
	for _, r := range requirements {
		switch r.Key {
		case corev1.LabelTopologyZone, capacityTypeLabel, corev1.LabelInstanceTypeStable, corev1.LabelArchStable, corev1.LabelOSStable:
			continue
		}
		v := c.values[r.Key]
		if v == nil {
			v = &commonValue{}
			c.values[r.Key] = v
			if len(r.Values) > 0 {
				v.value = r.Values[0]
			}
		}
		v.count++
		if r.Operator != corev1.NodeSelectorOpIn || len(r.Values) != 1 || r.Values[0] != v.value {
			v.value = ""
		}
	}
}

// into adds the labels to a type, and notes the others.
func (c *commonLabels) into(e *entry, omitted *omissions) {
	for key, v := range c.values {
		if v.value == "" || v.count != c.offerings {
			omitted.add("requirements of "+key+" are left out: only one value that all offerings of a type have can be a label", e.Name)
			continue
		}
		e.Labels[key] = v.value
	}
}

var (
	awsSize      = regexp.MustCompile(`^\w+\.(nano|micro|small|medium|large|\d*xlarge|metal)$`)
	kwokFamilyOf = regexp.MustCompile(`^([^.-]*)[.-]`)
)

// kwokTypeLabels returns the labels that Karpenter's provider for KWOK gives to the nodes of a
// type.
func kwokTypeLabels(t *Type) map[string]string {
	cpu, memory := t.Capacity[corev1.ResourceCPU], t.Capacity[corev1.ResourceMemory]
	size, family := cpu.String(), t.Name[:1]
	if match := awsSize.FindStringSubmatch(t.Name); match != nil {
		size = match[1]
	}
	if match := kwokFamilyOf.FindStringSubmatch(t.Name); match != nil {
		family = match[1]
	}
	return map[string]string{
		kwokLabels + "instance-size":   size,
		kwokLabels + "instance-family": family,
		kwokLabels + "instance-cpu":    cpu.String(),
		kwokLabels + "instance-memory": memory.String(),
	}
}
