package app

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/words"
)

// query returns what the flags choose, or what is wrong with them.
func (o *nodesTypesOptions) query() (*instancetypes.Query, error) {
	q := &instancetypes.Query{
		Name: o.name, Architectures: o.architectures, CapacityTypes: o.capacityTypes, Zones: o.zones,
		Min: corev1.ResourceList{}, Max: corev1.ResourceList{},
	}
	var problems []error
	invalid := func(flag, value, must string) {
		problems = append(problems, fmt.Errorf("invalid --%s %q: must be %s", flag, value, must))
	}
	if !slices.Contains(nodesTypesOutputs(), o.output) {
		invalid("output", o.output, words.Or(nodesTypesOutputs()...))
	}
	if o.sort != "" && !slices.Contains(instancetypes.Orders(), o.sort) {
		invalid("sort", o.sort, words.Or(instancetypes.Orders()...))
	}
	if _, err := path.Match(o.name, ""); err != nil {
		invalid("name", o.name, `a pattern such as 'm5.*' or '[cm]?.*large'`)
	}
	for _, value := range o.capacityTypes {
		if value != instancetypes.OnDemand && value != instancetypes.Spot {
			invalid("capacity-type", value, words.Or(instancetypes.OnDemand, instancetypes.Spot))
		}
	}
	for _, bound := range []struct {
		flag, value string
		in          corev1.ResourceList
		name        corev1.ResourceName
	}{
		{"min-cpu", o.minCPU, q.Min, corev1.ResourceCPU},
		{"max-cpu", o.maxCPU, q.Max, corev1.ResourceCPU},
		{"min-memory", o.minMemory, q.Min, corev1.ResourceMemory},
		{"max-memory", o.maxMemory, q.Max, corev1.ResourceMemory},
	} {
		if bound.value == "" {
			continue
		}
		amount, err := instancetypes.ParseQuantity(bound.value)
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid --%s %q: %w", bound.flag, bound.value, err))
			continue
		}
		bound.in[bound.name] = amount
	}
	for name, most := range q.Max {
		if least, ok := q.Min[name]; ok && most.Cmp(least) < 0 {
			problems = append(problems, fmt.Errorf("invalid --max-%s %q: must be at least --min-%s, %s", name, most.String(), name, least.String()))
		}
	}
	for _, value := range o.resources {
		name, amount, given := strings.Cut(value, "=")
		least := resource.MustParse("1")
		var err error
		if given {
			least, err = instancetypes.ParseQuantity(amount)
		}
		if err != nil || name == "" || least.Sign() <= 0 {
			invalid("resource", value, "a resource such as nvidia.com/gpu, or with an amount of more than 0, nvidia.com/gpu=2")
			continue
		}
		q.Min[corev1.ResourceName(name)] = least
	}
	if o.gpus != "" {
		n, err := strconv.ParseInt(o.gpus, 10, 64)
		if err != nil || n < 1 {
			invalid("gpus", o.gpus, "a number of 1 or more")
		}
		q.GPUs = n
	}
	if o.maxPrice != "" {
		price, err := strconv.ParseFloat(o.maxPrice, 64)
		if err != nil || !(price >= 0) || math.IsInf(price, 0) {
			invalid("max-price", o.maxPrice, "a number of US dollars per hour, 0 or more")
		}
		q.MaxPrice = &price
	}
	if o.selector != "" {
		selector, err := labels.Parse(o.selector)
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid --selector %q: %w", o.selector, err))
		}
		q.Labels = selector
	}
	return q, errors.Join(problems...)
}

// checkAgainst returns an error for values that no type of the list has.
func (o *nodesTypesOptions) checkAgainst(list *instancetypes.List) error {
	var problems []error
	for _, flag := range []struct {
		name          string
		values, known []string
	}{{"arch", o.architectures, list.Architectures()}, {"zone", o.zones, list.Zones()}} {
		for _, value := range flag.values {
			if !slices.Contains(flag.known, value) {
				problems = append(problems, fmt.Errorf("invalid --%s %q: no type of %s has it: must be %s", flag.name, value, o.instanceTypes, words.Or(flag.known...)))
			}
		}
	}
	known := list.Resources()
	for _, value := range o.resources {
		if name, _, _ := strings.Cut(value, "="); !slices.Contains(known, name) {
			problems = append(problems, fmt.Errorf("invalid --resource %q: no type of %s has it: must be %s", value, o.instanceTypes, words.Or(known...)))
		}
	}
	return errors.Join(problems...)
}
