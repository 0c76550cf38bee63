package karpenter

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/scheduling"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/words"
)

// Check compares the pools and node classes with the instance types. The warnings are about pools
// that launch no nodes and about names that no instance type has. If no pool can launch a node,
// that is an error, with the reasons. What is invalid is left to the API server.
func (p *Pools) Check(list *instancetypes.List) (warnings []string, err error) {
	types, err := convertTypes(list)
	if err != nil {
		return nil, err
	}
	useful := 0
	for _, o := range p.objects {
		var found []string
		switch o.resource {
		case poolResource:
			pool := &v1.NodePool{}
			if decode(o, pool) != nil {
				useful++
				continue
			}
			var launches bool
			if launches, found = checkPool(pool, types); launches {
				useful++
			}
		case nodeClassResource:
			class := &NodeClass{}
			if decode(o, class) == nil {
				found = checkClass(class, types)
			}
		}
		for _, text := range found {
			warnings = append(warnings, fmt.Sprintf("%s: %s", o.where, text))
		}
	}
	if useful == 0 {
		return nil, fmt.Errorf("no node pool can launch a node:\n%w", errors.New(strings.Join(warnings, "\n")))
	}
	return warnings, nil
}

func decode(o poolObject, into any) error {
	data, err := o.object.MarshalJSON()
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// checkPool reports whether a pool can launch nodes, and what is strange about it.
func checkPool(pool *v1.NodePool, types []*cloudprovider.InstanceType) (bool, []string) {
	requirements := required(pool)
	var allowed []*cloudprovider.InstanceType
	for _, t := range types {
		if t.Requirements.Intersects(requirements) == nil && t.Offerings.Available().HasCompatible(requirements) {
			allowed = append(allowed, t)
		}
	}
	warnings := unknownValues(pool, types)
	if len(allowed) == 0 {
		return false, append(warnings, fmt.Sprintf("NodePool %s allows none of the %s: %s",
			pool.Name, words.Count(len(types), "instance type"), whatExcludes(requirements, types)))
	}
	for _, name := range slices.Sorted(maps.Keys(pool.Spec.Limits)) {
		if limit := pool.Spec.Limits[name]; limit.Sign() <= 0 {
			return false, append(warnings, fmt.Sprintf("NodePool %s has a limit of %s for %s: it launches no node", pool.Name, limit.String(), name))
		}
	}
	if _, _, err := cloudprovider.InstanceTypes(allowed).SatisfiesMinValues(requirements); err != nil {
		return false, append(warnings, fmt.Sprintf("NodePool %s allows %s, too few for its minValues: %v", pool.Name, words.Count(len(allowed), "instance type"), err))
	}
	return true, warnings
}

// whatExcludes says why a pool allows none of the types.
func whatExcludes(requirements scheduling.Requirements, types []*cloudprovider.InstanceType) string {
	for _, key := range slices.Sorted(maps.Keys(requirements)) {
		only := scheduling.NewRequirements(requirements.Get(key))
		if !slices.ContainsFunc(types, func(t *cloudprovider.InstanceType) bool { return t.Requirements.Intersects(only) == nil }) {
			return "none meets the requirement " + requirements.Get(key).String()
		}
	}
	return "none that is available meets all of its requirements, " + requirements.String()
}

// maxNames is how many names a warning lists.
const maxNames = 5

// unknownValues returns a warning for each requirement of a pool that lists values of a label of
// instance types that none of them has.
func unknownValues(pool *v1.NodePool, types []*cloudprovider.InstanceType) []string {
	known := valuesOf(types)
	var out []string
	for _, r := range pool.Spec.Template.Spec.Requirements {
		if known[r.Key] == nil || r.Operator != corev1.NodeSelectorOpIn && r.Operator != corev1.NodeSelectorOpNotIn {
			continue
		}
		if text := unknown(r.Key, r.Values, known[r.Key]); text != "" {
			out = append(out, fmt.Sprintf("NodePool %s: %s", pool.Name, text))
		}
	}
	return out
}

// valuesOf returns the values of the labels that types have, by label.
func valuesOf(types []*cloudprovider.InstanceType) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, t := range types {
		for key, r := range t.Requirements {
			if out[key] == nil {
				out[key] = map[string]bool{}
			}
			for _, value := range r.Values() {
				out[key][value] = true
			}
		}
	}
	return out
}

// unknown returns a sentence about the values of a label that no instance type has, or "".
func unknown(key string, values []string, known map[string]bool) string {
	var names []string
	for _, value := range values {
		if !known[value] {
			names = append(names, value)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("no instance type has the %s %s; there is %s", key, words.Or(names...), words.First(maxNames, slices.Sorted(maps.Keys(known))...))
}

// checkClass returns warnings about selectors of a node class that select nothing.
func checkClass(class *NodeClass, types []*cloudprovider.InstanceType) []string {
	known := valuesOf(types)
	var out []string
	check := func(field string, s InstanceSelector) {
		for _, list := range []struct {
			key    string
			values []string
		}{
			{corev1.LabelInstanceTypeStable, s.InstanceTypes}, {corev1.LabelTopologyZone, s.Zones}, {v1.CapacityTypeLabelKey, s.CapacityTypes},
		} {
			if text := unknown(list.key, list.values, known[list.key]); text != "" {
				out = append(out, fmt.Sprintf("NodeClass %s, %s: %s", class.Name, field, text))
			}
		}
	}
	for i, s := range class.Spec.Shortages {
		check(fmt.Sprintf("shortages[%d]", i), s.InstanceSelector)
	}
	for i, s := range class.Spec.Interruptions {
		check(fmt.Sprintf("interruptions[%d]", i), s.InstanceSelector)
	}
	return out
}
